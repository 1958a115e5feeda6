// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COMMON_CONFIG_SAMPLE_CONFIG_H_
#define TESTS_UNIT_COMMON_CONFIG_SAMPLE_CONFIG_H_

// The files in configs/, and whether they explain everything.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file_system.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"

namespace entente {

inline std::string SampleText(absl::string_view name) {
  PosixFileSystem files;
  return *ReadTextFile(files, absl::StrCat(ENTENTE_SOURCE_DIR, "/configs/", name), 1 << 20);
}

// Every key that `text` has, also in comments.
inline std::set<std::string> KeysIn(const std::string& text) {
  std::set<std::string> keys;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = line.substr(std::min(line.size(), line.find_first_not_of(" #-")));
    const size_t colon = line.find(':');
    if (colon != line.npos) keys.insert(std::string(line.substr(0, colon)));
  }
  return keys;
}

// Keys of `type` and the messages in it that `text` does not have, also not in a comment.
inline std::vector<std::string> UnexplainedKeys(const google::protobuf::Descriptor& type,
                                                const std::string& text) {
  const std::set<std::string> keys = KeysIn(text);
  std::vector<std::string> missing;
  std::vector<const google::protobuf::Descriptor*> types = {&type};
  while (!types.empty()) {
    const auto* current = types.back();
    types.pop_back();
    if (current == google::protobuf::Duration::descriptor()) continue;
    for (int i = 0; i < current->field_count(); ++i) {
      const auto* field = current->field(i);
      if (keys.count(field->json_name()) == 0) missing.push_back(field->full_name());
      if (field->message_type() != nullptr) types.push_back(field->message_type());
    }
  }
  return missing;
}

// `text` with the one place of `from` replaced by `to`.
inline std::string Replaced(std::string text, absl::string_view from, absl::string_view to) {
  const size_t at = text.find(std::string(from));
  if (at == text.npos) return absl::StrCat("the sample has no ", from);
  return text.replace(at, from.size(), std::string(to));
}

}  // namespace entente

#endif  // TESTS_UNIT_COMMON_CONFIG_SAMPLE_CONFIG_H_
