// SPDX-License-Identifier: Apache-2.0
#include "common/config/yaml_to_proto.h"

#include <cstdint>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "common/base/closest_word.h"
#include "common/base/status_macros.h"
#include "common/config/duration_text.h"
#include "common/config/enum_words.h"
#include "common/config/number_text.h"
#include "common/config/proto_time.h"
#include "common/config/quoted.h"
#include "google/protobuf/descriptor.h"

namespace entente {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

absl::string_view KindName(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a section of keys";
  }
  return "something else";
}

bool IsDuration(const Descriptor& type) {
  return type.full_name() == google::protobuf::Duration::descriptor()->full_name();
}

bool IsTimestamp(const Descriptor& type) {
  return type.full_name() == google::protobuf::Timestamp::descriptor()->full_name();
}

bool IsByteCount(const FieldDescriptor& field) {
  return absl::EndsWith(field.name(), "_bytes_max") || absl::EndsWith(field.name(), "_bytes_min");
}

// "; did you mean ...?", or all words there are.
std::string Suggestion(absl::string_view word, const std::vector<std::string>& known) {
  if (const auto closest = ClosestWord(word, known); closest.has_value()) {
    return absl::StrCat("; did you mean \"", *closest, "\"?");
  }
  return absl::StrCat("; known are ", absl::StrJoin(known, ", "));
}

const FieldDescriptor* FindField(const Descriptor& type, absl::string_view key) {
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->json_name() == key) return type.field(i);
  }
  return nullptr;
}

std::vector<std::string> KeysOf(const Descriptor& type) {
  std::vector<std::string> keys;
  for (int i = 0; i < type.field_count(); ++i) keys.push_back(type.field(i)->json_name());
  return keys;
}

// Carries what stays the same from node to node.
class Filler {
 public:
  Filler(absl::string_view file_name, YamlPlaces* places)
      : file_name_(file_name), places_(places) {}

  absl::Status Fill(const YamlNode& node, const std::string& path, Message* message);

 private:
  absl::Status FillField(const YamlNode& node, const FieldDescriptor& field,
                         const std::string& path, Message* message);
  absl::Status FillList(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                        Message* message);
  // One value: the field's own, or one more of its list.
  absl::Status FillValue(const YamlNode& node, const FieldDescriptor& field,
                         const std::string& path, Message* message);
  absl::Status FillMessage(const YamlNode& node, const FieldDescriptor& field,
                           const std::string& path, Message* message);
  absl::Status FillWord(const YamlNode& node, const FieldDescriptor& field, const std::string& path,
                        Message* message);
  absl::Status FillWholeNumber(const YamlNode& node, const FieldDescriptor& field,
                               const std::string& path, Message* message);
  absl::Status FillFraction(const YamlNode& node, const FieldDescriptor& field,
                            const std::string& path, Message* message);
  absl::Status FillSwitch(const YamlNode& node, const FieldDescriptor& field,
                          const std::string& path, Message* message);

  absl::Status CheckIsScalar(const YamlNode& node, const std::string& path) const;
  absl::Status CheckOneof(const FieldDescriptor& field, const YamlKey& key,
                          const std::string& section, const Message& message) const;
  absl::Status Wrong(const YamlNode& node, const std::string& path,
                     const absl::Status& expected) const;

  const absl::string_view file_name_;
  YamlPlaces* const places_;  // May be null.
};

absl::Status Filler::Wrong(const YamlNode& node, const std::string& path,
                           const absl::Status& expected) const {
  return MistakeAt(file_name_, node.place,
                   absl::StrCat(path, " is ", Quoted(node.text), node.quoted ? " in quotes" : "",
                                "; it ", expected.message()));
}

absl::Status Filler::CheckIsScalar(const YamlNode& node, const std::string& path) const {
  if (node.kind == YamlNode::Kind::kScalar) return absl::OkStatus();
  if (node.kind == YamlNode::Kind::kNull) {
    return MistakeAt(file_name_, node.place,
                     absl::StrCat(path, " has no value; write one, or leave the key out"));
  }
  return MistakeAt(file_name_, node.place,
                   absl::StrCat(path, " must be a single value, not ", KindName(node)));
}

absl::Status Filler::CheckOneof(const FieldDescriptor& field, const YamlKey& key,
                                const std::string& section, const Message& message) const {
  const auto* oneof = field.real_containing_oneof();
  if (oneof == nullptr) return absl::OkStatus();
  const FieldDescriptor* chosen = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
  if (chosen == nullptr) return absl::OkStatus();
  return MistakeAt(file_name_, key.place,
                   absl::StrCat("\"", chosen->json_name(), "\" and \"", key.text,
                                "\" exclude each other", section, "; remove one"));
}

absl::Status Filler::Fill(const YamlNode& node, const std::string& path, Message* message) {
  if (node.kind == YamlNode::Kind::kNull) return absl::OkStatus();
  if (node.kind != YamlNode::Kind::kMap) {
    return MistakeAt(file_name_, node.place,
                     absl::StrCat(path.empty() ? "the file" : path,
                                  " must be a section of keys, not ", KindName(node)));
  }
  const std::string section = path.empty() ? "" : absl::StrCat(" in ", path);
  std::set<std::string> seen;  // Short: an unknown key ends the loop.
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const YamlKey& key = node.keys[i];
    const FieldDescriptor* field = FindField(*message->GetDescriptor(), key.text);
    if (field == nullptr) {
      return MistakeAt(file_name_, key.place,
                       absl::StrCat("unknown key ", Quoted(key.text), section,
                                    Suggestion(key.text, KeysOf(*message->GetDescriptor()))));
    }
    if (!seen.insert(key.text).second) {
      return MistakeAt(file_name_, key.place,
                       absl::StrCat("the key \"", key.text, "\" is there twice", section));
    }
    ENTENTE_RETURN_IF_ERROR(CheckOneof(*field, key, section, *message));
    const std::string field_path = path.empty() ? key.text : absl::StrCat(path, ".", key.text);
    const bool is_value = node.items[i].kind == YamlNode::Kind::kScalar;
    if (places_ != nullptr) places_->Add(field_path, is_value ? node.items[i].place : key.place);
    ENTENTE_RETURN_IF_ERROR(FillField(node.items[i], *field, field_path, message));
  }
  return absl::OkStatus();
}

absl::Status Filler::FillField(const YamlNode& node, const FieldDescriptor& field,
                               const std::string& path, Message* message) {
  if (field.is_repeated()) return FillList(node, field, path, message);
  return FillValue(node, field, path, message);
}

absl::Status Filler::FillList(const YamlNode& node, const FieldDescriptor& field,
                              const std::string& path, Message* message) {
  if (node.kind != YamlNode::Kind::kList) {
    return MistakeAt(file_name_, node.place,
                     absl::StrCat(path, " must be a list, such as [a, b], not ", KindName(node)));
  }
  if (node.items.empty()) {
    return MistakeAt(
        file_name_, node.place,
        absl::StrCat(path, " is an empty list; leave the key out, or give it an entry"));
  }
  for (size_t i = 0; i < node.items.size(); ++i) {
    const std::string item_path = absl::StrCat(path, "[", i, "]");
    if (places_ != nullptr) places_->Add(item_path, node.items[i].place);
    ENTENTE_RETURN_IF_ERROR(FillValue(node.items[i], field, item_path, message));
  }
  return absl::OkStatus();
}

absl::Status Filler::FillMessage(const YamlNode& node, const FieldDescriptor& field,
                                 const std::string& path, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  Message* inner = field.is_repeated() ? reflection.AddMessage(message, &field)
                                       : reflection.MutableMessage(message, &field);
  const bool is_duration = IsDuration(*field.message_type());
  if (!is_duration && !IsTimestamp(*field.message_type())) return Fill(node, path, inner);
  ENTENTE_RETURN_IF_ERROR(CheckIsScalar(node, path));
  if (is_duration) {
    const auto duration = ParseDurationText(node.text);
    if (!duration.ok()) return Wrong(node, path, duration.status());
    inner->CopyFrom(ToProto(*duration));
    return absl::OkStatus();
  }
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, node.text, &time, &ignored)) {
    return Wrong(node, path,
                 absl::InvalidArgumentError("must be a time, such as 2026-01-31T12:00:00Z"));
  }
  inner->CopyFrom(ToProto(time));
  return absl::OkStatus();
}

absl::Status Filler::FillWholeNumber(const YamlNode& node, const FieldDescriptor& field,
                                     const std::string& path, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const bool repeated = field.is_repeated();
  const auto read = [&](auto zero, auto set, auto add) -> absl::Status {
    using Number = decltype(zero);
    constexpr absl::int128 kMin = std::numeric_limits<Number>::min();
    constexpr absl::int128 kMax = std::numeric_limits<Number>::max();
    auto value = IsByteCount(field) ? ParseByteCount(node.text, kMax)
                                    : ParseWholeNumber(node.text, kMin, kMax);
    if (!value.ok()) {
      const absl::Status wrong = Wrong(node, path, value.status());
      const auto misfit = ParseWholeNumber(node.text, absl::Int128Min() + 1, absl::Int128Max());
      if (places_ == nullptr || IsByteCount(field) || !misfit.ok()) return wrong;
      places_->AddMisfit({.path = path, .shown = Quoted(node.text), .status = wrong});
      value = *misfit < kMin ? kMin : kMax;
    }
    (reflection.*(repeated ? add : set))(message, &field, static_cast<Number>(*value));
    return absl::OkStatus();
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return read(int32_t{}, &Reflection::SetInt32, &Reflection::AddInt32);
    case FieldDescriptor::CPPTYPE_UINT32:
      return read(uint32_t{}, &Reflection::SetUInt32, &Reflection::AddUInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return read(int64_t{}, &Reflection::SetInt64, &Reflection::AddInt64);
    default:
      return read(uint64_t{}, &Reflection::SetUInt64, &Reflection::AddUInt64);
  }
}

absl::Status Filler::FillWord(const YamlNode& node, const FieldDescriptor& field,
                              const std::string& path, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const auto* value = FindEnumValue(*field.enum_type(), node.text);
  if (value == nullptr) {
    return MistakeAt(file_name_, node.place,
                     absl::StrCat(path, " is ", Quoted(node.text), ", which it cannot be",
                                  Suggestion(node.text, EnumWords(*field.enum_type()))));
  }
  (reflection.*(field.is_repeated() ? &Reflection::AddEnum : &Reflection::SetEnum))(message, &field,
                                                                                    value);
  return absl::OkStatus();
}

absl::Status Filler::FillFraction(const YamlNode& node, const FieldDescriptor& field,
                                  const std::string& path, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const auto value = ParseNumber(node.text);
  if (!value.ok()) return Wrong(node, path, value.status());
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
    (reflection.*(field.is_repeated() ? &Reflection::AddFloat : &Reflection::SetFloat))(
        message, &field, static_cast<float>(*value));
  } else {
    (reflection.*(field.is_repeated() ? &Reflection::AddDouble : &Reflection::SetDouble))(
        message, &field, *value);
  }
  return absl::OkStatus();
}

absl::Status Filler::FillSwitch(const YamlNode& node, const FieldDescriptor& field,
                                const std::string& path, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (node.text != "true" && node.text != "false") {
    return Wrong(node, path, absl::InvalidArgumentError("must be true or false"));
  }
  (reflection.*(field.is_repeated() ? &Reflection::AddBool : &Reflection::SetBool))(
      message, &field, node.text == "true");
  return absl::OkStatus();
}

absl::Status Filler::FillValue(const YamlNode& node, const FieldDescriptor& field,
                               const std::string& path, Message* message) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return FillMessage(node, field, path, message);
  }
  ENTENTE_RETURN_IF_ERROR(CheckIsScalar(node, path));
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    const Reflection& reflection = *message->GetReflection();
    (reflection.*(field.is_repeated() ? &Reflection::AddString : &Reflection::SetString))(
        message, &field, node.text);
    return absl::OkStatus();
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    return FillWord(node, field, path, message);
  }
  if (node.quoted) {
    return Wrong(node, path, absl::InvalidArgumentError("must be written without quotes"));
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return FillSwitch(node, field, path, message);
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return FillFraction(node, field, path, message);
    default:
      return FillWholeNumber(node, field, path, message);
  }
}

}  // namespace

YamlPlace YamlPlaces::Find(absl::string_view path) const {
  while (true) {
    if (const auto it = places_.find(path); it != places_.end()) return it->second;
    const size_t cut = path.find_last_of(".[");
    if (cut == path.npos) return {};
    path = path.substr(0, cut);
  }
}

void YamlPlaces::AddMisfit(Misfit misfit) {
  if (!misfit_.has_value()) misfit_ = std::move(misfit);
}

bool YamlPlaces::Contains(absl::string_view path) const {
  return places_.find(path) != places_.end();
}

void YamlPlaces::Add(absl::string_view path, YamlPlace place) {
  places_[std::string(path)] = place;
}

absl::Status YamlToProto(absl::string_view yaml, absl::string_view file_name, Message* message,
                         YamlPlaces* places) {
  ENTENTE_ASSIGN_OR_RETURN(const YamlNode root, ParseYaml(yaml, file_name));
  return YamlToProto(root, file_name, message, places);
}

absl::Status YamlToProto(const YamlNode& root, absl::string_view file_name, Message* message,
                         YamlPlaces* places) {
  message->Clear();
  if (places != nullptr) *places = YamlPlaces();
  return Filler(file_name, places).Fill(root, "", message);
}

}  // namespace entente
