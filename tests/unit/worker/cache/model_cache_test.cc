// SPDX-License-Identifier: Apache-2.0
#include "worker/cache/model_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/base/limits.h"
#include "common/tensor/safetensors.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::worker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ModelCacheTest : public testing::Test {
 protected:
  std::unique_ptr<ModelCache> Open(uint64_t bytes_max) {
    auto cache = ModelCache::Open(&files_, folder_.path(), bytes_max);
    EXPECT_THAT(cache, IsOk());
    return *std::move(cache);
  }

  static absl::StatusOr<ModelCache::Lease> Add(ModelCache& cache, const std::string& content) {
    auto file = cache.BeginDownload(Sha256Of(content), content.size());
    if (!file.ok()) return file.status();
    EXPECT_THAT((*file)->Append(0, content), IsOk());
    return cache.FinishDownload(Sha256Of(content), *std::move(file));
  }

  TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(ModelCacheTest, KeepsWhatWasDownloaded) {
  const auto cache = Open(100);
  EXPECT_FALSE(cache->Find(Sha256Of("model")).has_value());

  ASSERT_OK_AND_ASSIGN(const ModelCache::Lease added, Add(*cache, "model"));

  const auto found = cache->Find(Sha256Of("model"));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->path(), added.path());
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadTextFile(files_, found->path(), 100));
  EXPECT_EQ(text, "model");
  EXPECT_EQ(cache->bytes(), 5);
}

TEST_F(ModelCacheTest, FindsWhatAnEarlierRunLeft) {
  ASSERT_THAT(Add(*Open(100), "model"), IsOk());

  const auto cache = Open(100);

  EXPECT_TRUE(cache->Find(Sha256Of("model")).has_value());
  EXPECT_EQ(cache->bytes(), 5);
}

TEST_F(ModelCacheTest, DropsWhatTheDiskHasSpoilt) {
  folder_.Write(Sha256Of("model").ToHex(), "m0del");
  const auto cache = Open(100);

  EXPECT_FALSE(cache->Find(Sha256Of("model")).has_value());

  EXPECT_EQ(cache->bytes(), 0);
  EXPECT_FALSE(files_.Exists(folder_.File(Sha256Of("model").ToHex())));
}

TEST_F(ModelCacheTest, WhatWasNotUsedForLongestGoesFirst) {
  const auto cache = Open(10);
  ASSERT_THAT(Add(*cache, "aaaa"), IsOk());
  ASSERT_THAT(Add(*cache, "bbbb"), IsOk());
  ASSERT_TRUE(cache->Find(Sha256Of("aaaa")).has_value());

  ASSERT_THAT(Add(*cache, "cccc"), IsOk());

  EXPECT_TRUE(cache->Find(Sha256Of("aaaa")).has_value());
  EXPECT_FALSE(cache->Find(Sha256Of("bbbb")).has_value());
  EXPECT_FALSE(files_.Exists(folder_.File(Sha256Of("bbbb").ToHex())));
  EXPECT_EQ(cache->bytes(), 8);
}

TEST_F(ModelCacheTest, ASmallerLimitHoldsFromTheStart) {
  {
    const auto cache = Open(10);
    ASSERT_THAT(Add(*cache, "aaaa"), IsOk());
    ASSERT_THAT(Add(*cache, "bbbb"), IsOk());
  }

  EXPECT_EQ(Open(5)->bytes(), 4);
  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListFiles(folder_.path()));
  EXPECT_EQ(names.size(), 1u);
}

TEST_F(ModelCacheTest, WhatIsInUseStays) {
  const auto cache = Open(10);
  {
    ASSERT_OK_AND_ASSIGN(const ModelCache::Lease in_use, Add(*cache, "aaaaaa"));
    ASSERT_THAT(Add(*cache, "bbbb"), IsOk());

    EXPECT_THAT(Add(*cache, "cccccc"),
                StatusIs(absl::StatusCode::kResourceExhausted,
                         "the model has 6 bytes, but of the 10 the cache may hold 6 are in use: "
                         "raise cacheBytesMax"));
    EXPECT_TRUE(cache->Find(Sha256Of("bbbb")).has_value());
  }
  EXPECT_THAT(Add(*cache, "cccccc"), IsOk());
}

TEST_F(ModelCacheTest, AModelLargerThanTheCacheIsRefusedAndNothingMadeRoom) {
  const auto cache = Open(10);
  ASSERT_THAT(Add(*cache, "aaaa"), IsOk());

  EXPECT_THAT(Add(*cache, "0123456789x"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("has 11 bytes, but the cache may hold 10")));
  EXPECT_TRUE(cache->Find(Sha256Of("aaaa")).has_value());
}

TEST_F(ModelCacheTest, DownloadThatWouldLeaveTooLittleOnTheDiskIsNotBegun) {
  FaultyFileSystem files;
  ASSERT_OK_AND_ASSIGN(const auto cache, ModelCache::Open(&files, folder_.path(), 100));
  files.bytes_left = static_cast<int64_t>(limits::kWorkerFreeBytesMin) + 4;

  EXPECT_THAT(cache->BeginDownload(Sha256Of("model"), 5),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("5 bytes are still to come, 67108868 are free"),
                             HasSubstr("67108864 must stay free; free some space"))));

  files.bytes_left = static_cast<int64_t>(limits::kWorkerFreeBytesMin) + 5;
  EXPECT_THAT(cache->BeginDownload(Sha256Of("model"), 5), IsOk());
}

TEST_F(ModelCacheTest, AWrongDigestIsNotTakenIn) {
  const auto cache = Open(100);
  ASSERT_OK_AND_ASSIGN(auto file, cache->BeginDownload(Sha256Of("model"), 5));
  ASSERT_THAT(file->Append(0, "m0del"), IsOk());

  EXPECT_THAT(cache->FinishDownload(Sha256Of("model"), std::move(file)),
              StatusIs(absl::StatusCode::kDataLoss));

  EXPECT_FALSE(cache->Find(Sha256Of("model")).has_value());
  EXPECT_EQ(cache->bytes(), 0);
}

TEST_F(ModelCacheTest, ABrokenDownloadIsContinuedAndOthersPartsAreDropped) {
  const auto cache = Open(100);
  const std::string other = folder_.Write(Sha256Of("other").ToHex() + ".part", "oth");
  {
    ASSERT_OK_AND_ASSIGN(const auto file, cache->BeginDownload(Sha256Of("model"), 5));
    ASSERT_THAT(file->Append(0, "mod"), IsOk());
  }

  ASSERT_OK_AND_ASSIGN(auto file, cache->BeginDownload(Sha256Of("model"), 5));

  EXPECT_EQ(file->offset(), 3);
  ASSERT_THAT(file->Append(3, "el"), IsOk());
  EXPECT_THAT(cache->FinishDownload(Sha256Of("model"), std::move(file)), IsOk());
  EXPECT_FALSE(files_.Exists(other));
}

TEST_F(ModelCacheTest, LeavesFilesAloneThatAreNotItsOwn) {
  const std::string readme = folder_.Write("README", "hands off");
  const auto cache = Open(10);

  ASSERT_THAT(Add(*cache, "aaaaaaaaaa"), IsOk());
  ASSERT_THAT(Add(*cache, "bbbbbbbbbb"), IsOk());

  EXPECT_TRUE(files_.Exists(readme));
}

TEST_F(ModelCacheTest, AMovedLeaseIsCountedOnce) {
  const auto cache = Open(10);
  {
    ASSERT_OK_AND_ASSIGN(ModelCache::Lease lease, Add(*cache, "aaaaaaaa"));
    const ModelCache::Lease moved = std::move(lease);
    EXPECT_THAT(Add(*cache, "bbbbbbbb"), StatusIs(absl::StatusCode::kResourceExhausted));
  }
  EXPECT_THAT(Add(*cache, "bbbbbbbb"), IsOk());
}

// {"w": [1.0, -2.5]} in bf16, and as the trainer reads it.
std::string RoundedModel() {
  return SafetensorsHeader(*Layout::Create({{"w", Dtype::kBf16, {2}}})) +
         std::string("\x80\x3f\x20\xc0", 4);
}
std::string ExpandedModel() {
  return SafetensorsHeader(*Layout::Create({{"w", Dtype::kF32, {2}}})) +
         std::string("\x00\x00\x80\x3f\x00\x00\x20\xc0", 8);
}

TEST_F(ModelCacheTest, RoundedModelIsExpandedOnceAndGoesWithItsFile) {
  const uint64_t both = RoundedModel().size() + ExpandedModel().size();
  const auto cache = Open(both);
  {
    ASSERT_OK_AND_ASSIGN(const ModelCache::Lease lease, Add(*cache, RoundedModel()));
    ASSERT_OK_AND_ASSIGN(const std::string path, lease.ExpandedPath());
    EXPECT_EQ(*ReadTextFile(files_, path, 1000), ExpandedModel());
    EXPECT_EQ(cache->bytes(), both);
    EXPECT_THAT(lease.ExpandedPath(), IsOk());
    EXPECT_EQ(cache->bytes(), both);
  }

  ASSERT_THAT(Add(*cache, "other"), IsOk());

  EXPECT_EQ(cache->bytes(), 5);
  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListFiles(folder_.path()));
  EXPECT_EQ(names, std::vector<std::string>{Sha256Of("other").ToHex()});
}

TEST_F(ModelCacheTest, ModelWithoutBf16IsReadAsItCame) {
  const auto cache = Open(1000);
  ASSERT_OK_AND_ASSIGN(const ModelCache::Lease lease, Add(*cache, ExpandedModel()));

  ASSERT_OK_AND_ASSIGN(const std::string path, lease.ExpandedPath());

  EXPECT_EQ(path, lease.path());
}

TEST_F(ModelCacheTest, ExpansionThatDoesNotFitIsRefusedWithTheNumbers) {
  const auto cache = Open(RoundedModel().size() + 10);
  ASSERT_OK_AND_ASSIGN(const ModelCache::Lease lease, Add(*cache, RoundedModel()));

  EXPECT_THAT(lease.ExpandedPath(),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("raise cacheBytesMax")));
  EXPECT_EQ(cache->bytes(), RoundedModel().size());
}

TEST_F(ModelCacheTest, ExpansionOfAnEarlierRunIsRemovedAndMadeAnew) {
  ASSERT_THAT(Add(*Open(1000), RoundedModel()), IsOk());
  const std::string expanded = Sha256Of(RoundedModel()).ToHex() + ".fp32";
  folder_.Write(expanded, "spoilt");
  folder_.Write(expanded + ".new", "half made");

  const auto cache = Open(1000);

  EXPECT_FALSE(files_.Exists(folder_.File(expanded)));
  EXPECT_FALSE(files_.Exists(folder_.File(expanded + ".new")));
  const auto lease = cache->Find(Sha256Of(RoundedModel()));
  ASSERT_TRUE(lease.has_value());
  ASSERT_OK_AND_ASSIGN(const std::string path, lease->ExpandedPath());
  EXPECT_EQ(*ReadTextFile(files_, path, 1000), ExpandedModel());
}

TEST_F(ModelCacheTest, JobsPreviousModelGoesWithWhatWasMadeOfIt) {
  const auto cache = Open(1000);
  cache->DropPrevious("job-1", Sha256Of(RoundedModel()));
  {
    ASSERT_OK_AND_ASSIGN(const ModelCache::Lease lease, Add(*cache, RoundedModel()));
    ASSERT_THAT(lease.ExpandedPath(), IsOk());
  }
  ASSERT_THAT(Add(*cache, "program"), IsOk());

  cache->DropPrevious("job-1", Sha256Of("next"));

  EXPECT_EQ(cache->bytes(), 7);
  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListFiles(folder_.path()));
  EXPECT_EQ(names, std::vector<std::string>{Sha256Of("program").ToHex()});
}

TEST_F(ModelCacheTest, ModelThatItsJobGoesOnWithStays) {
  const auto cache = Open(100);
  cache->DropPrevious("job-1", Sha256Of("model"));
  ASSERT_THAT(Add(*cache, "model"), IsOk());

  cache->DropPrevious("job-1", Sha256Of("model"));

  EXPECT_TRUE(cache->Find(Sha256Of("model")).has_value());
}

TEST_F(ModelCacheTest, ModelOfTwoJobsStaysUntilBothHaveGoneOn) {
  const auto cache = Open(100);
  cache->DropPrevious("job-1", Sha256Of("model"));
  cache->DropPrevious("job-2", Sha256Of("model"));
  ASSERT_THAT(Add(*cache, "model"), IsOk());

  cache->DropPrevious("job-1", Sha256Of("next"));
  EXPECT_TRUE(cache->Find(Sha256Of("model")).has_value());

  cache->DropPrevious("job-2", Sha256Of("next"));
  EXPECT_FALSE(cache->Find(Sha256Of("model")).has_value());
}

TEST_F(ModelCacheTest, PreviousModelThatIsInUseStays) {
  const auto cache = Open(100);
  cache->DropPrevious("job-1", Sha256Of("model"));
  ASSERT_OK_AND_ASSIGN(const ModelCache::Lease lease, Add(*cache, "model"));

  cache->DropPrevious("job-1", Sha256Of("next"));

  EXPECT_TRUE(files_.Exists(lease.path()));
  EXPECT_EQ(cache->bytes(), 5);
}

TEST_F(ModelCacheTest, ModelOfAJobThatIsForgottenStays) {
  const auto cache = Open(100);
  cache->DropPrevious("job-1", Sha256Of("model"));
  ASSERT_THAT(Add(*cache, "model"), IsOk());
  for (size_t i = 0; i < limits::kWorkerModelJobsMax; ++i) {
    cache->DropPrevious("other-" + std::to_string(i), Sha256Of("other"));
  }

  cache->DropPrevious("job-1", Sha256Of("next"));

  EXPECT_TRUE(cache->Find(Sha256Of("model")).has_value());
}

TEST_F(ModelCacheTest, FileThatIsNoModelIsNotExpanded) {
  const auto cache = Open(1000);
  ASSERT_OK_AND_ASSIGN(const ModelCache::Lease lease, Add(*cache, "no model"));

  EXPECT_THAT(lease.ExpandedPath(), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entente::worker
