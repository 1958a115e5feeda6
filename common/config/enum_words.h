// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_ENUM_WORDS_H_
#define COMMON_CONFIG_ENUM_WORDS_H_

// Enum values as files and output write them: METHOD_WEIGHTED_MEAN of enum Method is
// "weighted_mean": the name without what it shares with the type's zero value, METHOD_UNSPECIFIED.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace entente {

std::string EnumWord(const google::protobuf::EnumValueDescriptor& value);

// All words that may be written: every value but the zero one, which means "not set".
std::vector<std::string> EnumWords(const google::protobuf::EnumDescriptor& type);

// Null if no value that may be written has this word.
const google::protobuf::EnumValueDescriptor* FindEnumValue(
    const google::protobuf::EnumDescriptor& type, absl::string_view word);

}  // namespace entente

#endif  // COMMON_CONFIG_ENUM_WORDS_H_
