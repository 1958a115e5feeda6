// SPDX-License-Identifier: Apache-2.0
#include "worker/session/resume_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/base/limits.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/worker/session/session_examples.h"

namespace entente::worker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ResumeStateTest : public testing::Test {
 protected:
  std::unique_ptr<ResumeState> Open() {
    auto state = ResumeState::Open(&files_, folder_.File("updates"));
    EXPECT_THAT(state, IsOk());
    return *std::move(state);
  }

  // Writes and keeps an update for `task`.
  v1::UploadHeader Keep(ResumeState& state, const v1::Task& task) {
    EXPECT_THAT(WriteTextFile(files_, state.UpdatePath(task.key()), "update"), IsOk());
    v1::UploadHeader header;
    *header.mutable_update()->mutable_key() = task.key();
    header.mutable_update()->set_base_model_digest(task.model_digest());
    header.mutable_update()->set_examples(18446744073709551615u);
    header.mutable_update()->set_training_loss(0.1);
    header.set_digest(Sha256Of("update").ToHex());
    header.set_total_bytes(6);
    EXPECT_THAT(state.Keep(header, task), IsOk());
    return header;
  }

  TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(ResumeStateTest, FindsAKeptUpdateAfterARestart) {
  const v1::UploadHeader header = Keep(*Open(), SomeTask());

  const auto state = Open();
  const auto kept = state->Find(SomeTask());

  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->header.SerializeAsString(), header.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadTextFile(files_, kept->path, 100));
  EXPECT_EQ(text, "update");
}

TEST_F(ResumeStateTest, AnotherTaskModelOrRecipeFindsNothing) {
  const auto state = Open();
  Keep(*state, SomeTask());
  v1::Task other_round = SomeTask();
  other_round.mutable_key()->set_round_index(9);

  EXPECT_FALSE(state->Find(other_round).has_value());
  EXPECT_FALSE(state->Find(SomeTask(Sha256Of("other").ToHex())).has_value());
  EXPECT_FALSE(
      state->Find(SomeTask(Sha256Of("model").ToHex(), SomeRecipe("training: {epochs: 2}\n")))
          .has_value());
}

TEST_F(ResumeStateTest, AnotherAttemptFindsTheUpdateWithAHeaderOfItsOwn) {
  const v1::UploadHeader header = Keep(*Open(), SomeTask());
  v1::Task next_attempt = SomeTask();
  next_attempt.mutable_key()->set_attempt(2);

  const auto kept = Open()->Find(next_attempt);

  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->header.update().key().attempt(), 2);
  EXPECT_EQ(kept->header.digest(), header.digest());
  EXPECT_EQ(kept->header.update().examples(), header.update().examples());
}

TEST_F(ResumeStateTest, AnotherSeedOrCountedUpdateFindsNothing) {
  const auto state = Open();
  Keep(*state, SomeTask());
  v1::Task other_seed = SomeTask();
  other_seed.set_seed(SomeTask().seed() + 1);
  v1::Task other_counted = SomeTask();
  other_counted.set_counted_update_digest(Sha256Of("counted").ToHex());

  EXPECT_FALSE(state->Find(other_seed).has_value());
  EXPECT_FALSE(state->Find(other_counted).has_value());
  EXPECT_TRUE(state->Find(SomeTask()).has_value());
}

TEST_F(ResumeStateTest, OthersOfTheJobAreDroppedAlone) {
  const auto state = Open();
  v1::Task next_round = SomeTask();
  next_round.mutable_key()->set_round_index(SomeTask().key().round_index() + 1);
  v1::Task other_job = SomeTask();
  other_job.mutable_key()->set_job_id("another-1");
  Keep(*state, SomeTask());
  Keep(*state, other_job);

  EXPECT_THAT(state->DropOthers(SomeTask().key()), IsOk());
  EXPECT_TRUE(state->Find(SomeTask()).has_value());
  EXPECT_THAT(state->DropOthers(next_round.key()), IsOk());

  EXPECT_FALSE(state->Find(SomeTask()).has_value());
  EXPECT_TRUE(state->Find(other_job).has_value());
}

TEST_F(ResumeStateTest, UpdateThatDoesNotSayWhatItWasMadeOfIsRemovedAtTheStart) {
  folder_.Write("updates/abc.safetensors", "update");
  folder_.Write("updates/abc.json", "{\"job\": \"toy-1\", \"base_model_digest\": \"00\"}");

  Open();

  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListFiles(folder_.File("updates")));
  EXPECT_THAT(names, testing::IsEmpty());
}

TEST_F(ResumeStateTest, AnUpdateTheDiskHasSpoiltIsNotFound) {
  const auto state = Open();
  Keep(*state, SomeTask());
  ASSERT_THAT(WriteTextFile(files_, state->UpdatePath(SomeTask().key()), "updatE"), IsOk());

  EXPECT_FALSE(state->Find(SomeTask()).has_value());
}

TEST_F(ResumeStateTest, ASpoiltDescriptionIsNotFound) {
  const auto state = Open();
  Keep(*state, SomeTask());
  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListFiles(folder_.File("updates")));
  for (const char* text : {"", "[]", "{\"base_model_digest\":7}"}) {
    ASSERT_THAT(WriteTextFile(files_, folder_.File("updates/" + names.front()), text), IsOk());
    EXPECT_FALSE(state->Find(SomeTask()).has_value());
  }
}

TEST_F(ResumeStateTest, WhatIsDroppedIsGone) {
  const auto state = Open();
  Keep(*state, SomeTask());

  EXPECT_THAT(state->Drop(SomeTask().key()), IsOk());
  EXPECT_THAT(state->Drop(SomeTask().key()), IsOk());

  EXPECT_FALSE(state->Find(SomeTask()).has_value());
  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListFiles(folder_.File("updates")));
  EXPECT_THAT(names, testing::IsEmpty());
}

TEST_F(ResumeStateTest, HalfWrittenUpdatesAreRemovedAtTheStart) {
  Keep(*Open(), SomeTask());
  folder_.Write("updates/abc.safetensors", "half");
  folder_.Write("updates/abc.safetensors.unchecked", "half");
  folder_.Write("updates/def.json", "{}");

  const auto state = Open();

  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListFiles(folder_.File("updates")));
  EXPECT_EQ(names.size(), 2);
  EXPECT_TRUE(state->Find(SomeTask()).has_value());
}

TEST_F(ResumeStateTest, OnlyTheNewestUpdateOfAJobIsKept) {
  v1::Task next_round = SomeTask();
  next_round.mutable_key()->set_round_index(SomeTask().key().round_index() + 1);
  v1::Task other_job = SomeTask();
  other_job.mutable_key()->set_job_id("another-1");
  Keep(*Open(), SomeTask());

  const auto state = Open();
  Keep(*state, other_job);
  Keep(*state, next_round);

  EXPECT_FALSE(state->Find(SomeTask()).has_value());
  EXPECT_TRUE(state->Find(next_round).has_value());
  EXPECT_TRUE(state->Find(other_job).has_value());
  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListFiles(folder_.File("updates")));
  EXPECT_EQ(names.size(), 4u);
}

TEST_F(ResumeStateTest, TheOldestGoFirst) {
  const auto state = Open();
  std::vector<v1::Task> tasks;
  for (size_t i = 0; i < limits::kWorkerKeptUpdatesMax + 5; ++i) {
    tasks.push_back(SomeTask());
    tasks.back().mutable_key()->set_job_id("job-" + std::to_string(i));
    Keep(*state, tasks.back());
  }

  EXPECT_FALSE(state->Find(tasks[4]).has_value());
  EXPECT_TRUE(state->Find(tasks[5]).has_value());
  EXPECT_TRUE(state->Find(tasks.back()).has_value());
}

TEST_F(ResumeStateTest, UpdateThatCannotBeReadNowIsThereAtTheNextStart) {
  Keep(*Open(), SomeTask());
  FaultyFileSystem faulty;
  faulty.FailOpens(".json", 1);

  EXPECT_THAT(ResumeState::Open(&faulty, folder_.File("updates")),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("Too many open files")));

  EXPECT_TRUE(Open()->Find(SomeTask()).has_value());
}

TEST_F(ResumeStateTest, UpdateThatCannotBeReadIsLoggedAndStays) {
  FaultyFileSystem faulty;
  ASSERT_OK_AND_ASSIGN(const auto state, ResumeState::Open(&faulty, folder_.File("updates")));
  Keep(*state, SomeTask());

  for (const char* part : {".json", ".safetensors"}) {
    faulty.FailOpens(part, 1);
    testing::internal::CaptureStderr();
    EXPECT_FALSE(state->Find(SomeTask()).has_value());
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                AllOf(HasSubstr("a kept update cannot be read"), HasSubstr(part),
                      HasSubstr("Too many open files")));
  }

  EXPECT_TRUE(state->Find(SomeTask()).has_value());
  v1::Task other_round = SomeTask();
  other_round.mutable_key()->set_round_index(9);
  testing::internal::CaptureStderr();
  EXPECT_FALSE(state->Find(other_round).has_value());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "there is none";
}

TEST_F(ResumeStateTest, FolderInPlaceOfADescriptionIsRemoved) {
  folder_.Write("updates/x.safetensors", "update");
  ASSERT_THAT(files_.CreateFolder(folder_.File("updates/x.json/y")), IsOk());

  Open();

  EXPECT_FALSE(files_.Exists(folder_.File("updates/x.json")));
  EXPECT_FALSE(files_.Exists(folder_.File("updates/x.safetensors")));
}

TEST_F(ResumeStateTest, WhatATrainerLeftInPlaceOfAnUpdateIsRemoved) {
  folder_.Write("updates/x.safetensors.unchecked/inner", "a folder");

  Open();

  EXPECT_FALSE(files_.Exists(folder_.File("updates/x.safetensors.unchecked")));
}

TEST_F(ResumeStateTest, ALossThatIsNoNumberCostsTheResumeOnly) {
  const auto state = Open();
  v1::UploadHeader header = Keep(*state, SomeTask());
  header.mutable_update()->set_training_loss(std::nan(""));
  ASSERT_THAT(state->Keep(header, SomeTask()), IsOk());

  EXPECT_FALSE(state->Find(SomeTask()).has_value());
}

}  // namespace
}  // namespace entente::worker
