// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/byte_stream.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/sample_data.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  PosixFileSystem files;
  const auto stream = OpenByteStream(files, path);
  if (!stream.ok()) return stream.status();
  std::string text;
  std::vector<uint8_t> buffer(1000);
  while (true) {
    const auto count = (*stream)->Read(absl::MakeSpan(buffer));
    if (!count.ok()) return count.status();
    text.append(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*count));
    if (*count < buffer.size()) return text;
  }
}

std::string LongText() {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i);
  return text;
}

TEST(ByteStreamTest, PlainAndGzippedFilesReadTheSame) {
  const TempFolder folder;
  const std::string text = LongText();

  EXPECT_EQ(*ReadAll(folder.Write("plain", text)), text);
  EXPECT_EQ(*ReadAll(folder.Write("zipped", Gzip(text))), text);
  EXPECT_EQ(*ReadAll(folder.Write("empty", "")), "");
}

TEST(ByteStreamTest, ACutOffGzipIsRefused) {
  const TempFolder folder;
  const std::string zipped = Gzip(LongText());

  EXPECT_THAT(
      ReadAll(folder.Write("cut", zipped.substr(0, zipped.size() / 2))),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("the gzip data is broken or cut off")));
}

TEST(ByteStreamTest, ABrokenGzipIsRefused) {
  const TempFolder folder;
  std::string zipped = Gzip(LongText());
  zipped[zipped.size() / 2] = static_cast<char>(zipped[zipped.size() / 2] ^ 0x55);

  EXPECT_THAT(ReadAll(folder.Write("broken", zipped)), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(ByteStreamTest, TheBoundHoldsForWhatShrinksMost) {
  const TempFolder folder;
  PosixFileSystem files;
  const std::string zeros(1 << 20, '\0');

  ASSERT_OK_AND_ASSIGN(const auto stream,
                       OpenByteStream(files, folder.Write("zeros", Gzip(zeros))));

  EXPECT_GE(stream->bytes_max(), zeros.size());
}

TEST(ByteStreamTest, AMissingFileIsNotFound) {
  EXPECT_THAT(ReadAll("/nowhere/at/all"), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace entente::trainer
