// SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "entente/storage/v1/journal.pb.h"
#include "entente/v1/admin_service.pb.h"
#include "entente/v1/job_service.pb.h"
#include "entente/v1/member_service.pb.h"
#include "entente/v1/model_service.pb.h"
#include "entente/v1/transfer_service.pb.h"
#include "entente/v1/worker_service.pb.h"
#include "tests/golden/golden_files.h"

namespace entente {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

// Every file that defines what travels or what is kept.
std::vector<const FileDescriptor*> Files() {
  return {v1::Recipe::descriptor()->file(),
          v1::Job::descriptor()->file(),
          v1::Member::descriptor()->file(),
          v1::Task::descriptor()->file(),
          v1::SubmitJobRequest::descriptor()->file(),
          v1::GetMemberRequest::descriptor()->file(),
          v1::GetModelRequest::descriptor()->file(),
          v1::BackupRequest::descriptor()->file(),
          v1::UploadHeader::descriptor()->file(),
          v1::WorkerMessage::descriptor()->file(),
          storage::v1::JobRecord::descriptor()->file()};
}

// An empty message of the type that the text's first line names.
std::unique_ptr<Message> MessageFor(const std::string& text) {
  const std::string first_line = text.substr(0, text.find('\n'));
  const std::string type(absl::StripPrefix(first_line, "# "));
  const Descriptor* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
  EXPECT_NE(descriptor, nullptr) << type;
  if (descriptor == nullptr) return nullptr;
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
}

class WireGoldenTest : public ::testing::TestWithParam<const char*> {};

TEST_P(WireGoldenTest, MessageHasTheBytesItAlwaysHad) {
  ASSERT_FALSE(Files().empty());
  const std::string text = GoldenText(absl::StrCat("wire/", GetParam(), ".txtpb"));
  const std::unique_ptr<Message> message = MessageFor(text);
  ASSERT_NE(message, nullptr);
  ASSERT_TRUE(TextFormat::ParseFromString(text, message.get()));

  EXPECT_EQ(message->SerializeAsString(), GoldenBytes(absl::StrCat("wire/", GetParam(), ".hex")));
}

TEST_P(WireGoldenTest, BytesAreReadAsTheyAlwaysWere) {
  ASSERT_FALSE(Files().empty());
  const std::string text = GoldenText(absl::StrCat("wire/", GetParam(), ".txtpb"));
  const std::unique_ptr<Message> expected = MessageFor(text);
  ASSERT_NE(expected, nullptr);
  ASSERT_TRUE(TextFormat::ParseFromString(text, expected.get()));
  const std::unique_ptr<Message> actual(expected->New());

  ASSERT_TRUE(actual->ParseFromString(GoldenBytes(absl::StrCat("wire/", GetParam(), ".hex"))));

  EXPECT_EQ(actual->DebugString(), expected->DebugString());
}

INSTANTIATE_TEST_SUITE_P(Messages, WireGoldenTest,
                         ::testing::Values("cancelled", "evaluated", "hello", "job", "progress",
                                           "recipe", "task", "upload_chunk", "upload_header_blob",
                                           "upload_header_update", "welcome"),
                         [](const auto& test) { return std::string(test.param); });

void ListEnum(const EnumDescriptor& type, std::set<std::string>* lines) {
  for (int i = 0; i < type.value_count(); ++i) {
    lines->insert(
        absl::StrCat(type.full_name(), " ", type.value(i)->name(), " = ", type.value(i)->number()));
  }
}

void ListMessage(const Descriptor& type, std::set<std::string>* lines) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    std::string kind = field.type_name();
    if (field.message_type() != nullptr) kind = field.message_type()->full_name();
    if (field.enum_type() != nullptr) kind = field.enum_type()->full_name();
    const auto* oneof = field.real_containing_oneof();
    lines->insert(absl::StrCat(
        type.full_name(), " ", field.name(), " = ", field.number(), " ",
        field.is_repeated() ? "repeated " : "", field.has_optional_keyword() ? "optional " : "",
        kind, oneof != nullptr ? absl::StrCat(" in ", oneof->name()) : std::string()));
  }
  for (int i = 0; i < type.nested_type_count(); ++i) ListMessage(*type.nested_type(i), lines);
  for (int i = 0; i < type.enum_type_count(); ++i) ListEnum(*type.enum_type(i), lines);
}

std::set<std::string> CurrentFields() {
  std::set<std::string> lines;
  for (const FileDescriptor* file : Files()) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      ListMessage(*file->message_type(i), &lines);
    }
    for (int i = 0; i < file->enum_type_count(); ++i) ListEnum(*file->enum_type(i), &lines);
  }
  return lines;
}

std::set<std::string> GoldenFields() {
  return absl::StrSplit(GoldenText("wire/fields.txt"), '\n', absl::SkipEmpty());
}

std::string LinesOnlyIn(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::vector<std::string> lines;
  for (const std::string& line : a) {
    if (!b.contains(line)) lines.push_back(line);
  }
  return absl::StrJoin(lines, "\n");
}

TEST(WireFieldsTest, NoFieldWasRemovedRenumberedOrRetyped) {
  const std::string lost = LinesOnlyIn(GoldenFields(), CurrentFields());
  EXPECT_TRUE(lost.empty()) << "other machines still speak of:\n" << lost;
}

TEST(WireFieldsTest, NewFieldsAreWrittenDown) {
  const std::string added = LinesOnlyIn(CurrentFields(), GoldenFields());
  EXPECT_TRUE(added.empty()) << "add these lines to tests/golden/wire/fields.txt:\n" << added;
}

}  // namespace
}  // namespace entente
