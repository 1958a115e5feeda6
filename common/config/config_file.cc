// SPDX-License-Identifier: Apache-2.0
#include "common/config/config_file.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/quoted.h"
#include "common/config/yaml_document.h"
#include "google/protobuf/descriptor.h"

namespace entente {
namespace {

constexpr absl::string_view kApiVersion = "entente/v1";

absl::Status CheckKey(const YamlNode& root, absl::string_view file_name, absl::string_view key,
                      absl::string_view expected) {
  for (size_t i = 0; i < root.keys.size(); ++i) {
    if (root.keys[i].text != key) continue;
    if (root.items[i].text == expected) return absl::OkStatus();
    return MistakeAt(file_name, root.items[i].place,
                     absl::StrCat(key, " is ", Quoted(root.items[i].text),
                                  "; this file must be written for ", key, ": ", expected));
  }
  return MistakeAt(file_name, {},
                   absl::StrCat(key, " is missing; the file must say ", key, ": ", expected));
}

}  // namespace

absl::Status ParseConfig(absl::string_view text, absl::string_view file_name,
                         google::protobuf::Message* message, YamlPlaces* places) {
  ENTENTE_ASSIGN_OR_RETURN(const YamlNode root, ParseYaml(text, file_name));
  // YamlToProto says better what a text is that is not even a map.
  if (root.kind == YamlNode::Kind::kMap || root.kind == YamlNode::Kind::kNull) {
    const absl::string_view kind = absl::StripSuffix(message->GetDescriptor()->name(), "Config");
    ENTENTE_RETURN_IF_ERROR(CheckKey(root, file_name, "apiVersion", kApiVersion));
    ENTENTE_RETURN_IF_ERROR(CheckKey(root, file_name, "kind", kind));
  }
  return YamlToProto(root, file_name, message, places);
}

absl::Status LoadConfig(FileSystem& files, const std::string& path,
                        google::protobuf::Message* message, YamlPlaces* places) {
  ENTENTE_ASSIGN_OR_RETURN(const std::string text,
                           ReadTextFile(files, path, limits::kConfigBytesMax));
  return ParseConfig(text, path, message, places);
}

std::string ResolvePath(absl::string_view config_path, absl::string_view path) {
  if (path.empty()) return "";
  const std::filesystem::path relative =
      std::filesystem::path(std::string(config_path)).parent_path() / std::string(path);
  // Fails only without a current folder; then the path stays as relative as it was.
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(relative, error);
  std::string resolved = (error ? relative : absolute).lexically_normal().string();
  if (resolved.size() > 1 && resolved.back() == '/') resolved.pop_back();
  return resolved;
}

}  // namespace entente
