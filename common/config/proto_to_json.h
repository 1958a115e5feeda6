// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_PROTO_TO_JSON_H_
#define COMMON_CONFIG_PROTO_TO_JSON_H_

// The way back from yaml_to_proto.h, for `-o json`, `--dry-run` and the trainer protocol: the same
// keys, enum words and duration texts. Unlike protobuf's own JSON, 64-bit numbers are numbers and
// enums are our words. Fields are in the order of their numbers, so equal messages give equal text.
//
// Message fields and `optional` scalars that are not set are left out; so are empty strings, empty
// lists, unspecified enums, and (only where they are in a oneof that is not chosen) scalars.
// Timestamps are RFC 3339 in UTC; doubles are the shortest text that reads back the same, and null
// if they are not finite. An enum number this version does not know stays a number.

#include <nlohmann/json.hpp>
#include <string>

#include "google/protobuf/message.h"

namespace entente {

nlohmann::ordered_json ProtoToJson(const google::protobuf::Message& message);

// Block style, two spaces, lists of scalars in one line; ends with a newline. YamlToProto reads it
// back.
std::string ProtoToYaml(const google::protobuf::Message& message);

}  // namespace entente

#endif  // COMMON_CONFIG_PROTO_TO_JSON_H_
