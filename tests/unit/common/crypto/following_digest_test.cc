// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/following_digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

std::string SomeBytes(size_t size) {
  std::mt19937 random(7);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

class FollowingDigestTest : public ::testing::Test {
 protected:
  FollowingDigestTest() {
    file_ = *files_.OpenForWrite(path_);
    digest_ = *FollowingDigest::Create(files_, path_);
  }

  absl::Status Write(uint64_t offset, absl::string_view data) {
    const absl::Status status = file_->WriteAt(offset, data);
    return status.ok() ? digest_->Wrote(offset, data) : status;
  }

  TempFolder folder_;
  PosixFileSystem files_{Durability::kProcess};
  const std::string path_ = folder_.File("growing");
  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<FollowingDigest> digest_;
};

TEST_F(FollowingDigestTest, OfNothingIsThatOfAnEmptyFile) {
  EXPECT_THAT(Write(0, ""), IsOk());
  EXPECT_EQ(digest_->Current(), Sha256Of(""));
}

TEST_F(FollowingDigestTest, PiecesInOrderGiveTheDigestOfTheWhole) {
  ASSERT_THAT(Write(0, "abc"), IsOk());
  ASSERT_THAT(Write(3, "def"), IsOk());
  EXPECT_EQ(digest_->Current(), Sha256Of("abcdef"));
}

TEST_F(FollowingDigestTest, PiecesWaitForTheGapBeforeThem) {
  ASSERT_THAT(Write(4, "ef"), IsOk());
  ASSERT_THAT(Write(8, "ij"), IsOk());
  ASSERT_THAT(Write(6, "gh"), IsOk());
  EXPECT_EQ(digest_->Current(), Sha256Of(""));
  ASSERT_THAT(Write(0, "ab"), IsOk());
  EXPECT_EQ(digest_->Current(), Sha256Of("ab"));
  ASSERT_THAT(Write(2, "cd"), IsOk());
  EXPECT_EQ(digest_->Current(), Sha256Of("abcdefghij"));
}

TEST_F(FollowingDigestTest, PiecesBackwardsAreReadAgainInPiecesOfTheirOwn) {
  const std::string whole = SomeBytes(300'001);
  constexpr size_t kPiece = 1000;
  for (size_t end = whole.size(); end > 0;) {
    const size_t size = std::min(kPiece, end);
    ASSERT_THAT(Write(end - size, absl::string_view(whole).substr(end - size, size)), IsOk());
    end -= size;
  }
  EXPECT_EQ(digest_->Current(), Sha256Of(whole));
}

TEST_F(FollowingDigestTest, ThreadsThatWriteAtOnceGiveTheSameDigest) {
  const std::string whole = SomeBytes(2'000'003);
  constexpr size_t kPiece = 997;
  std::atomic<size_t> next{0};
  std::atomic<int> errors{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (size_t start; (start = next.fetch_add(kPiece)) < whole.size();) {
        if (!Write(start, absl::string_view(whole).substr(start, kPiece)).ok()) ++errors;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(errors, 0);
  EXPECT_EQ(digest_->Current(), Sha256Of(whole));
}

TEST_F(FollowingDigestTest, FileThatLostBytesIsAnError) {
  ASSERT_THAT(digest_->Wrote(2, "cd"), IsOk());  // Told, but not in the file.
  EXPECT_THAT(Write(0, "ab"), StatusIs(absl::StatusCode::kOutOfRange));
}

TEST_F(FollowingDigestTest, FileThatIsNotThereIsNamed) {
  EXPECT_THAT(FollowingDigest::Create(files_, folder_.File("nowhere")),
              StatusIs(absl::StatusCode::kNotFound, ::testing::HasSubstr("nowhere")));
}

}  // namespace
}  // namespace entente
