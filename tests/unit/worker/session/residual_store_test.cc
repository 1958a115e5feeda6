// SPDX-License-Identifier: Apache-2.0
#include "worker/session/residual_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::worker {
namespace {

using ::testing::SizeIs;

class ResidualStoreTest : public testing::Test {
 protected:
  std::unique_ptr<ResidualStore> OpenStore() {
    auto store = ResidualStore::Open(&files_, folder_.File("residuals"));
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }
  void Keep(ResidualStore& store, const std::string& job, const std::string& update) {
    ASSERT_THAT(WriteTextFile(files_, store.NewPath(job), "left after " + update), IsOk());
    ASSERT_THAT(store.Keep(job, Sha256Of(update)), IsOk());
  }
  std::string TextAfter(ResidualStore& store, const std::string& job, const std::string& update) {
    const auto path = store.Find(job, Sha256Of(update));
    return path.has_value() ? *ReadTextFile(files_, *path, 100) : "none";
  }
  std::vector<std::string> Files() { return *files_.ListFiles(folder_.File("residuals")); }

  TempFolder folder_;
  FaultyFileSystem files_;
};

TEST_F(ResidualStoreTest, EachUpdateOfEachJobHasItsOwn) {
  const auto store = OpenStore();
  Keep(*store, "a", "1");
  Keep(*store, "a", "2");
  Keep(*store, "b", "1");

  EXPECT_EQ(TextAfter(*store, "a", "1"), "left after 1");
  EXPECT_EQ(TextAfter(*store, "a", "2"), "left after 2");
  EXPECT_EQ(TextAfter(*store, "b", "2"), "none");
  EXPECT_THAT(Files(), SizeIs(3));
}

TEST_F(ResidualStoreTest, OneThatWasNotWrittenIsAnErrorAndIsNotMade) {
  const auto store = OpenStore();

  EXPECT_THAT(store->Keep("a", Sha256Of("1")), StatusIs(absl::StatusCode::kNotFound));

  EXPECT_EQ(TextAfter(*store, "a", "1"), "none");
  EXPECT_THAT(Files(), SizeIs(0));
}

TEST_F(ResidualStoreTest, OthersOfTheJobGoOnceItIsKnownWhichCounted) {
  const auto store = OpenStore();
  Keep(*store, "a", "1");
  Keep(*store, "a", "2");
  Keep(*store, "b", "1");

  ASSERT_THAT(store->KeepOnly("a", Sha256Of("2")), IsOk());
  EXPECT_EQ(TextAfter(*store, "a", "1"), "none");
  EXPECT_EQ(TextAfter(*store, "a", "2"), "left after 2");

  ASSERT_THAT(store->KeepOnly("a", Digest()), IsOk());
  EXPECT_EQ(TextAfter(*store, "a", "2"), "none");
  EXPECT_EQ(TextAfter(*store, "b", "1"), "left after 1");
}

TEST_F(ResidualStoreTest, RestartKeepsThemAndRemovesWhatIsHalfMade) {
  {
    const auto store = OpenStore();
    Keep(*store, "a", "1");
    ASSERT_THAT(WriteTextFile(files_, store->NewPath("a"), "half"), IsOk());
  }

  const auto store = OpenStore();

  EXPECT_EQ(TextAfter(*store, "a", "1"), "left after 1");
  EXPECT_THAT(Files(), SizeIs(1));
}

TEST_F(ResidualStoreTest, JobsUsedLeastRecentlyGoBeyondTheLimit) {
  const auto store = OpenStore();
  for (size_t i = 0; i < limits::kWorkerResidualJobsMax; ++i) Keep(*store, absl::StrCat(i), "1");
  EXPECT_EQ(TextAfter(*store, "0", "1"), "left after 1");  // Used.

  Keep(*store, "one more", "1");

  EXPECT_EQ(TextAfter(*store, "0", "1"), "left after 1");
  EXPECT_EQ(TextAfter(*store, "1", "1"), "none");
  EXPECT_THAT(Files(), SizeIs(limits::kWorkerResidualJobsMax));
}

TEST_F(ResidualStoreTest, FailedRenameIsReported) {
  const auto store = OpenStore();
  files_.rename_fails = true;
  EXPECT_FALSE(store->Keep("a", Sha256Of("1")).ok());
}

}  // namespace
}  // namespace entente::worker
