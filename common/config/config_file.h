// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_CONFIG_FILE_H_
#define COMMON_CONFIG_CONFIG_FILE_H_

// Our YAML files: each says in apiVersion and kind what it is, and names other files relative to
// itself.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/file_system.h"
#include "common/config/yaml_to_proto.h"
#include "google/protobuf/message.h"

namespace entente {

// Reads the text of a file onto `message`. The kind that the file must name is the message's name
// without "Config" at its end: "Coordinator", "Worker", "LocalPolicy", "Contexts", "Recipe". Looked
// at before the rest, so that a wrong file is called that and not a file of unknown keys. `places`
// may be null.
//
// INVALID_ARGUMENT, as file:line:column: what is wrong.
absl::Status ParseConfig(absl::string_view text, absl::string_view file_name,
                         google::protobuf::Message* message, YamlPlaces* places = nullptr);

// The same for the file at `path`. Also the file system's errors, which name the path.
absl::Status LoadConfig(FileSystem& files, const std::string& path,
                        google::protobuf::Message* message, YamlPlaces* places = nullptr);

// `path` as the file at `config_path` means it: relative to the folder of that file. The result is
// absolute and without "." and ".."; an empty path stays empty.
std::string ResolvePath(absl::string_view config_path, absl::string_view path);

}  // namespace entente

#endif  // COMMON_CONFIG_CONFIG_FILE_H_
