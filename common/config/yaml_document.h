// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_YAML_DOCUMENT_H_
#define COMMON_CONFIG_YAML_DOCUMENT_H_

// The part of YAML that our files are written in, as a plain tree with the place of everything. The
// one seam to yaml-cpp: its exceptions end here.
//
// Texts come from anybody: size, depth, number of nodes, encoding and control characters are
// checked. Anchors, aliases, tags and second documents are refused, so that what is read is what is
// seen, and a short text cannot become a long one.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entente {

// Where something was written; both count from 1.
struct YamlPlace {
  int line = 1;
  int column = 1;
};

struct YamlKey {
  std::string text;
  YamlPlace place;
};

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  YamlPlace place;
  std::string text = {};  // Of a scalar.
  bool quoted = false;    // Whether the scalar was in quotes (or a block): so it is a text.
  std::vector<YamlKey> keys = {};    // Of a map; keys[i] belongs to items[i]. May repeat.
  std::vector<YamlNode> items = {};  // Of a list or a map.
};

// INVALID_ARGUMENT with `sentence` after file:line:column.
absl::Status MistakeAt(absl::string_view file_name, YamlPlace place, absl::string_view sentence);

// The one document in `text`; an empty text is a null node.
//
// INVALID_ARGUMENT, as file:line:column: what is wrong.
absl::StatusOr<YamlNode> ParseYaml(absl::string_view text, absl::string_view file_name);

}  // namespace entente

#endif  // COMMON_CONFIG_YAML_DOCUMENT_H_
