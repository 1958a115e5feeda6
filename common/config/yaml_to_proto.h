// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_YAML_TO_PROTO_H_
#define COMMON_CONFIG_YAML_TO_PROTO_H_

// Reads YAML onto a protobuf message: the schema is the message, and a mistake is one sentence with
// its place, e.g. `recipe.yaml:12:3: unknown key "learningrate" in training; did you mean
// "learningRate"?`.
//
// Keys are the fields' names in lowerCamelCase. Enum values are written in lower_snake_case without
// the type's prefix ("weighted_mean"); durations as numbers with a unit ("500ms", "90s", "10m",
// "2h", "3d"; "1h30m" works too); byte counts of fields ending in _bytes_max or _bytes_min may
// carry KiB, MiB, GiB or TiB; timestamps are RFC 3339. What a value is follows from its field
// alone: NO is a fine jurisdiction and 2026 a fine name, but "12" in quotes is no number.
//
// A section without anything in it may be written as `training:`; a value or a list may not.

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/config/yaml_document.h"
#include "google/protobuf/message.h"

namespace entente {

// Where a message's fields were written, so that a later check can point at them.
class YamlPlaces {
 public:
  // The place of the field at `path`, e.g. "training.batchSize" or "members[2].id": its value's, or
  // its key's if the value is a section or a list. If it was not written, that of the nearest
  // section around it.
  YamlPlace Find(absl::string_view path) const;

  // Whether the field at `path` was written, be it with its default.
  bool Contains(absl::string_view path) const;

  void Add(absl::string_view path, YamlPlace place);

  // A whole number that its field's type cannot hold, such as -1 for a count. The field has the
  // nearest number that it can hold, and a FieldCheck makes the mistake's sentence, for it knows
  // the field's own range.
  struct Misfit {
    std::string path;
    std::string shown;    // As it was written, quoted.
    absl::Status status;  // What is wrong, as far as the type tells.
  };
  // The first one.
  const std::optional<Misfit>& misfit() const { return misfit_; }
  void AddMisfit(Misfit misfit);

 private:
  std::map<std::string, YamlPlace, std::less<>> places_;
  std::optional<Misfit> misfit_;
};

// Fills `message`, which is cleared first. `file_name` appears in messages only. `places` may be
// null: nobody wants to know. Who gives it must end with FieldCheck::ToStatus(file_name, *places):
// that one refuses a number out of the field's type's range then, with the field's own range.
//
// INVALID_ARGUMENT, as file:line:column: what is wrong: broken YAML, an unknown or repeated key
// (with the nearest known one), a wrong type, a number out of the field's type's range, an unknown
// enum value (with the nearest, or all there are), two keys of one oneof, an alias or anchor, a
// text of over limits::kConfigBytesMax. `message` is then unspecified.
absl::Status YamlToProto(absl::string_view yaml, absl::string_view file_name,
                         google::protobuf::Message* message, YamlPlaces* places = nullptr);

// The same from a text that is parsed already.
absl::Status YamlToProto(const YamlNode& root, absl::string_view file_name,
                         google::protobuf::Message* message, YamlPlaces* places = nullptr);

}  // namespace entente

#endif  // COMMON_CONFIG_YAML_TO_PROTO_H_
