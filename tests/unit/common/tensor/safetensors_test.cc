// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/safetensors.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string SizePrefix(uint64_t size) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>((size >> (8 * i)) & 0xff));
  return bytes;
}

std::string FileOf(const std::string& json, const std::string& data) {
  return SizePrefix(json.size()) + json + data;
}

class SafetensorsTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<SafetensorsReader>> Open(const std::string& bytes) {
    return SafetensorsReader::Open(files_, folder_.Write("file", bytes));
  }
  // Opens a file with this header and `data_bytes` bytes of data.
  absl::StatusOr<std::unique_ptr<SafetensorsReader>> OpenHeader(const std::string& json,
                                                                size_t data_bytes = 0) {
    return Open(FileOf(json, std::string(data_bytes, '\0')));
  }
  static auto IsRefused(const std::string& why) {
    return StatusIs(absl::StatusCode::kInvalidArgument,
                    AllOf(HasSubstr("is not a valid safetensors file"), HasSubstr(why)));
  }

  TempFolder folder_;
  FaultyFileSystem files_;
};

TEST_F(SafetensorsTest, WrittenFileReadsBackAndIsCanonical) {
  ASSERT_OK_AND_ASSIGN(Layout layout, Layout::Create({{"w", Dtype::kF32, {2}},
                                                      {"a\"é", Dtype::kI64, {}},
                                                      {"none", Dtype::kF32, {3, 0}}}));
  {
    ASSERT_OK_AND_ASSIGN(const auto writer,
                         SafetensorsWriter::Create(files_, folder_.File("file"), layout));
    ASSERT_THAT(writer->WriteAt(2, 4, "efgh"), IsOk());
    ASSERT_THAT(writer->WriteAt(0, 0, "12345678"), IsOk());
    ASSERT_THAT(writer->WriteAt(2, 0, "abcd"), IsOk());
    ASSERT_THAT(writer->Finish(), IsOk());
  }

  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files_, folder_.File("file")));

  EXPECT_TRUE(reader->is_canonical());
  EXPECT_EQ(reader->layout(), layout);
  EXPECT_EQ(reader->file_bytes(), SafetensorsFileBytes(layout));
  std::string bytes(6, '\0');
  ASSERT_THAT(reader->ReadAt(2, 2, absl::MakeSpan(bytes.data(), bytes.size())), IsOk());
  EXPECT_EQ(bytes, "cdefgh");
  EXPECT_THAT(reader->ReadAt(2, 3, absl::MakeSpan(bytes.data(), bytes.size())),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("tensor \"w\" has 8 bytes")));
  EXPECT_THAT(reader->ReadAt(2, ~uint64_t{0}, absl::MakeSpan(bytes.data(), bytes.size())),
              StatusIs(absl::StatusCode::kOutOfRange));
}

TEST_F(SafetensorsTest, HeaderIsTheDocumentedText) {
  ASSERT_OK_AND_ASSIGN(const Layout layout,
                       Layout::Create({{"b", Dtype::kF32, {}}, {"a", Dtype::kBf16, {2, 3}}}));
  const std::string json = R"({"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},)"
                           R"("b":{"dtype":"F32","shape":[],"data_offsets":[12,16]}})";

  const std::string padding((8 - json.size() % 8) % 8, ' ');
  EXPECT_EQ(SafetensorsHeader(layout), FileOf(json + padding, ""));
}

TEST_F(SafetensorsTest, EmptyLayoutIsAFileToo) {
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(SafetensorsHeader(Layout())));
  EXPECT_TRUE(reader->is_canonical());
  EXPECT_TRUE(reader->layout().tensors().empty());
}

TEST_F(SafetensorsTest, ForeignOrderIsReadButNotCanonical) {
  const std::string json = R"({"__metadata__":{"format":"pt","n":"1"},)"
                           R"("b":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},)"
                           R"("a":{"shape":[2],"data_offsets":[3,5],"dtype":"U8"}} )";
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(FileOf(json, "bbbaa")));

  EXPECT_FALSE(reader->is_canonical());
  EXPECT_EQ(reader->layout().tensors()[0].name, "a");
  std::string bytes(2, '\0');
  ASSERT_THAT(reader->ReadAt(0, 0, absl::MakeSpan(bytes.data(), bytes.size())), IsOk());
  EXPECT_EQ(bytes, "aa");
}

TEST_F(SafetensorsTest, HashedWriterKnowsTheDigestOfItsFile) {
  ASSERT_OK_AND_ASSIGN(const Layout layout,
                       Layout::Create({{"a", Dtype::kF32, {2}}, {"b", Dtype::kF32, {1}}}));
  ASSERT_OK_AND_ASSIGN(const auto writer,
                       SafetensorsWriter::CreateHashed(files_, folder_.File("file"), layout));
  ASSERT_THAT(writer->WriteAt(1, 0, "abcd"), IsOk());
  ASSERT_THAT(writer->WriteAt(0, 0, "12345678"), IsOk());
  EXPECT_EQ(writer->digest(), *Sha256OfFile(files_, folder_.File("file")));
}

TEST_F(SafetensorsTest, LongerFileThereDoesNotShineThrough) {
  folder_.Write("file", std::string(1000, 'x'));
  ASSERT_OK_AND_ASSIGN(const auto writer,
                       SafetensorsWriter::Create(files_, folder_.File("file"), Layout()));
  ASSERT_THAT(writer->Finish(), IsOk());
  EXPECT_THAT(SafetensorsReader::Open(files_, folder_.File("file")), IsOk());
}

TEST_F(SafetensorsTest, FullDiskIsReported) {
  files_.bytes_left = 4;
  EXPECT_THAT(SafetensorsWriter::Create(files_, folder_.File("file"), Layout()),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(SafetensorsTest, ShortFilesAreRefused) {
  EXPECT_THAT(Open(""), IsRefused("shorter than 8 bytes"));
  EXPECT_THAT(Open("1234567"), IsRefused("shorter than 8 bytes"));
  EXPECT_THAT(Open(SizePrefix(0)), IsRefused("not a JSON object"));
}

TEST_F(SafetensorsTest, HeaderSizeThatLiesIsRefusedBeforeItIsAllocated) {
  EXPECT_THAT(Open(SizePrefix(~uint64_t{0}) + "{}"), IsRefused("claims 18446744073709551615"));
  EXPECT_THAT(Open(SizePrefix(3) + "{}"), IsRefused("claims 3 bytes; at most 2 can be"));
  EXPECT_THAT(SafetensorsReader::Open(files_, folder_.Write("file", SizePrefix(2) + "{}"), 1),
              IsRefused("claims 2 bytes; at most 1 can be"));
}

TEST_F(SafetensorsTest, HeaderThatIsNoJsonObjectIsRefused) {
  for (const char* json : {"", "null", "[]", "7", "\"a\"", "{", "{}x", "{\"a\":", "[[],[]]", "\xff",
                           "{\"\xff\":{}}"}) {
    EXPECT_THAT(OpenHeader(json), StatusIs(absl::StatusCode::kInvalidArgument)) << json;
  }
  EXPECT_THAT(OpenHeader("[[],[]]"), IsRefused("not a JSON object"));
}

TEST_F(SafetensorsTest, IncompleteOrSwollenEntriesAreRefused) {
  for (const char* entry : {
           "1",
           "[]",
           "null",
           "{}",
           R"({"dtype":"I8","shape":[1]})",
           R"({"dtype":"I8","data_offsets":[0,1]})",
           R"({"shape":[1],"data_offsets":[0,1]})",
           R"({"dtype":7,"shape":[1],"data_offsets":[0,1]})",
           R"({"dtype":"I8","shape":1,"data_offsets":[0,1]})",
           R"({"dtype":"I8","shape":[1],"data_offsets":[0]})",
           R"({"dtype":"I8","shape":[1],"data_offsets":[0,1,1]})",
           R"({"dtype":"I8","shape":[1],"data_offsets":{"a":0,"b":1}})",
           R"({"dtype":"I8","shape":[1],"data_offsets":[0,1],"more":1})",
           R"({"dtype":"I8","dtype":"U8","shape":[1],"data_offsets":[0,1]})",
           R"({"dtype":"I8","shape":{"x":{"y":[]}},"data_offsets":[0,1]})",
       }) {
    EXPECT_THAT(OpenHeader(absl::StrCat("{\"w\":", entry, "}"), 1),
                IsRefused("tensor \"w\" needs exactly dtype, shape and data_offsets"))
        << entry;
  }
}

TEST_F(SafetensorsTest, NumbersThatAreNotWholeAreRefused) {
  for (const char* number : {"-1", "1.0", "1e0", "\"1\"", "null", "[1]", "18446744073709551616"}) {
    EXPECT_THAT(OpenHeader(absl::StrCat(R"({"w":{"dtype":"I8","shape":[)", number,
                                        R"(],"data_offsets":[0,1]}})"),
                           1),
                IsRefused("tensor \"w\""))
        << number;
    EXPECT_THAT(
        OpenHeader(
            absl::StrCat(R"({"w":{"dtype":"I8","shape":[1],"data_offsets":[0,)", number, "]}}"), 1),
        IsRefused("tensor \"w\""))
        << number;
  }
}

TEST_F(SafetensorsTest, UnknownTypeIsRefused) {
  EXPECT_THAT(OpenHeader(R"({"w":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}})", 1),
              IsRefused("dtype \"F8\" is none"));
}

TEST_F(SafetensorsTest, TensorThereTwiceIsRefused) {
  EXPECT_THAT(OpenHeader(R"({"w":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},)"
                         R"("w":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}})",
                         2),
              IsRefused("tensor \"w\" is there twice"));
}

TEST_F(SafetensorsTest, OffsetsThatDoNotTileTheDataAreRefused) {
  const auto two = [](const char* first, const char* second) {
    return absl::StrCat(R"({"a":{"dtype":"I8","shape":[2],"data_offsets":)", first,
                        R"(},"b":{"dtype":"I8","shape":[2],"data_offsets":)", second, "}}");
  };
  EXPECT_THAT(OpenHeader(two("[0,2]", "[2,4]"), 4), IsOk());
  EXPECT_THAT(OpenHeader(two("[0,2]", "[1,3]"), 3), IsRefused("overlap, leave a gap"));
  EXPECT_THAT(OpenHeader(two("[0,2]", "[0,2]"), 2), IsRefused("overlap, leave a gap"));
  EXPECT_THAT(OpenHeader(two("[0,2]", "[3,5]"), 5), IsRefused("overlap, leave a gap"));
  EXPECT_THAT(OpenHeader(two("[1,3]", "[3,5]"), 5), IsRefused("overlap, leave a gap"));
  EXPECT_THAT(OpenHeader(two("[0,3]", "[3,5]"), 5), IsRefused("do not fit its shape"));
  EXPECT_THAT(OpenHeader(two("[2,0]", "[2,4]"), 4), IsRefused("overlap, leave a gap"));
  EXPECT_THAT(OpenHeader(two("[0,2]", "[2,18446744073709551615]"), 4), IsRefused("do not fit"));
}

TEST_F(SafetensorsTest, DataOfAnotherSizeIsRefused) {
  const std::string json = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_THAT(OpenHeader(json, 7), IsRefused("need 8 bytes and the file holds 7"));
  EXPECT_THAT(OpenHeader(json, 9), IsRefused("need 8 bytes and the file holds 9"));
}

TEST_F(SafetensorsTest, ShapesThatOverflowAreRefused) {
  EXPECT_THAT(OpenHeader(R"({"w":{"dtype":"I8","shape":[4294967296,4294967296],)"
                         R"("data_offsets":[0,0]}})"),
              IsRefused("too large"));
  EXPECT_THAT(
      OpenHeader(
          absl::StrCat(R"({"w":{"dtype":"I8","shape":[)", std::string(99, ' ').replace(0, 33, ""),
                       "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", R"(],)", R"("data_offsets":[0,1]}})"),
          1),
      IsRefused("more than 16 dimensions"));
}

TEST_F(SafetensorsTest, DeepNestingIsRefusedWithoutRecursion) {
  const std::string deep(1'000'000, '[');
  EXPECT_THAT(OpenHeader(deep), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(OpenHeader("{\"a\":" + deep), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(OpenHeader("{\"a\":{\"shape\":" + deep),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(SafetensorsTest, MetadataMayHoldAnythingAndIsNotKept) {
  EXPECT_THAT(OpenHeader(R"({"__metadata__":{"a":"1","a":"2","b":{"c":[1,2,[3]]}}})"), IsOk());
  EXPECT_THAT(OpenHeader(R"({"__metadata__":7})"), IsRefused("\"__metadata__\" needs"));
}

TEST_F(SafetensorsTest, HostileNamesAreEscaped) {
  const auto reader = OpenHeader("{\"\\u001b[31m\":{}}");
  EXPECT_THAT(reader, IsRefused("\\x1b[31m"));
  EXPECT_THAT(OpenHeader("{\"__\\u006detadata__\":{}}"), IsOk()) << "the same name, escaped";
}

TEST_F(SafetensorsTest, ManyTensorsAreReadInReasonableTime) {
  std::vector<TensorSpec> specs;
  for (int i = 0; i < 100'000; ++i) specs.push_back({absl::StrCat("t", i), Dtype::kF32, {0}});
  ASSERT_OK_AND_ASSIGN(const Layout layout, Layout::Create(std::move(specs)));

  ASSERT_OK_AND_ASSIGN(const auto reader, Open(SafetensorsHeader(layout)));

  EXPECT_TRUE(reader->is_canonical());
}

}  // namespace
}  // namespace entente
