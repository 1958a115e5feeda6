// SPDX-License-Identifier: Apache-2.0
#include "common/config/proto_to_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/config/duration_text.h"
#include "common/config/enum_words.h"
#include "common/config/proto_time.h"
#include "google/protobuf/descriptor.h"

namespace entente {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using ::nlohmann::ordered_json;

// Broken UTF-8, which only our own code could put into a message, becomes U+FFFD.
std::string Dump(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json NumberToJson(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr);
}

// The double with the float's own shortest text: 0.1, not 0.10000000149011612.
ordered_json FloatToJson(float value) {
  if (!std::isfinite(value)) return nullptr;
  char text[64] = {};
  std::to_chars(text, text + sizeof(text) - 1, value);
  return std::strtod(text, nullptr);
}

ordered_json EnumToJson(const FieldDescriptor& field, int number) {
  const auto* value = field.enum_type()->FindValueByNumber(number);
  return value == nullptr ? ordered_json(number) : ordered_json(EnumWord(*value));
}

ordered_json MessageToJson(const Message& message) {
  const auto* type = message.GetDescriptor();
  if (type->full_name() == google::protobuf::Duration::descriptor()->full_name()) {
    google::protobuf::Duration duration;
    duration.CopyFrom(message);
    return DurationText(ToDuration(duration));
  }
  if (type->full_name() == google::protobuf::Timestamp::descriptor()->full_name()) {
    google::protobuf::Timestamp timestamp;
    timestamp.CopyFrom(message);
    return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", ToTime(timestamp), absl::UTCTimeZone());
  }
  return ProtoToJson(message);
}

ordered_json StringToJson(const FieldDescriptor& field, const std::string& value) {
  return field.type() == FieldDescriptor::TYPE_BYTES ? absl::Base64Escape(value) : value;
}

ordered_json FieldToJson(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return NumberToJson(reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return FloatToJson(reflection.GetFloat(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumToJson(field, reflection.GetEnumValue(message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      return StringToJson(field, reflection.GetString(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageToJson(reflection.GetMessage(message, &field));
  }
  return nullptr;
}

ordered_json ItemToJson(const Message& message, const FieldDescriptor& field, int i) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetRepeatedInt32(message, &field, i);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetRepeatedInt64(message, &field, i);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetRepeatedUInt32(message, &field, i);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetRepeatedUInt64(message, &field, i);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return NumberToJson(reflection.GetRepeatedDouble(message, &field, i));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return FloatToJson(reflection.GetRepeatedFloat(message, &field, i));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetRepeatedBool(message, &field, i);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumToJson(field, reflection.GetRepeatedEnumValue(message, &field, i));
    case FieldDescriptor::CPPTYPE_STRING:
      return StringToJson(field, reflection.GetRepeatedString(message, &field, i));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageToJson(reflection.GetRepeatedMessage(message, &field, i));
  }
  return nullptr;
}

bool IsLeftOut(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) return reflection.FieldSize(message, &field) == 0;
  if (field.has_presence()) return !reflection.HasField(message, &field);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    return reflection.GetString(message, &field).empty();
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    return reflection.GetEnumValue(message, &field) == 0;
  }
  return false;
}

// Whether every YAML reader takes `text`, written without quotes, for this very text: it starts as
// a word that is no keyword, or it is a duration.
bool IsPlainYaml(const std::string& text) {
  if (text.empty() || text.back() == ' ') return false;
  const std::string lower = absl::AsciiStrToLower(text);
  for (const char* keyword : {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}) {
    if (lower == keyword) return false;
  }
  const bool is_word = absl::ascii_isalpha(static_cast<unsigned char>(text[0]));
  if (!is_word) return ParseDurationText(text).ok();
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '/' || c == '-' || c == ' ';
  });
}

std::string ScalarToYaml(const ordered_json& value) {
  if (value.is_string() && IsPlainYaml(value.get<std::string>())) return value.get<std::string>();
  return Dump(value);  // JSON's texts and numbers are YAML's too.
}

bool IsScalar(const ordered_json& value) { return !value.is_structured(); }

void AppendMap(const ordered_json& map, size_t indent, std::string* out);

void AppendList(const ordered_json& list, size_t indent, std::string* out) {
  for (const ordered_json& item : list) {
    // The item's first line goes behind the dash, so its text begins where that puts it.
    std::string lines;
    AppendMap(item, indent + 2, &lines);
    if (item.empty()) lines = std::string(indent + 2, ' ') + "{}\n";
    lines[indent] = '-';
    out->append(lines);
  }
}

void AppendMap(const ordered_json& map, size_t indent, std::string* out) {
  for (const auto& [key, value] : map.items()) {
    absl::StrAppend(out, std::string(indent, ' '), key, ":");
    if (IsScalar(value)) {
      absl::StrAppend(out, " ", ScalarToYaml(value), "\n");
    } else if (value.empty()) {
      absl::StrAppend(out, value.is_array() ? " []" : " {}", "\n");
    } else if (value.is_object()) {
      out->append("\n");
      AppendMap(value, indent + 2, out);
    } else if (std::all_of(value.begin(), value.end(), IsScalar)) {
      std::string items;
      for (const ordered_json& item : value) {
        absl::StrAppend(&items, items.empty() ? "" : ", ", ScalarToYaml(item));
      }
      absl::StrAppend(out, " [", items, "]\n");
    } else {
      out->append("\n");
      AppendList(value, indent + 2, out);
    }
  }
}

}  // namespace

ordered_json ProtoToJson(const Message& message) {
  const auto* type = message.GetDescriptor();
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < type->field_count(); ++i) fields.push_back(type->field(i));
  std::sort(fields.begin(), fields.end(),
            [](const auto* a, const auto* b) { return a->number() < b->number(); });
  ordered_json json = ordered_json::object();
  for (const FieldDescriptor* field : fields) {
    if (IsLeftOut(message, *field)) continue;
    if (!field->is_repeated()) {
      json[field->json_name()] = FieldToJson(message, *field);
      continue;
    }
    ordered_json list = ordered_json::array();
    for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
      list.push_back(ItemToJson(message, *field, i));
    }
    json[field->json_name()] = std::move(list);
  }
  return json;
}

std::string ProtoToYaml(const Message& message) {
  std::string yaml;
  AppendMap(ProtoToJson(message), 0, &yaml);
  return yaml;
}

}  // namespace entente
