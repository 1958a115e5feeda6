// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "tests/support/faulty_file_system.h"
#include "tests/unit/worker/session/task_flow_fixture.h"
#include "worker/session/task_key.h"

namespace entente::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(TaskFlowTest, TrainsEncodesAndUploads) {
  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kDone) << result.reason;
  EXPECT_THAT(activities_, ElementsAre("downloading", "preparing", "training", "uploading"));
  EXPECT_EQ(trainer_.prepared.dataset_format, "csv");
  EXPECT_EQ(trainer_.prepared.dataset_folder, "/srv/numbers");
  ASSERT_EQ(transfers_.uploads.size(), 1);
  const v1::UploadHeader& header = transfers_.uploads.front();
  EXPECT_EQ(header.update().base_model_digest(), model_digest_);
  EXPECT_EQ(header.update().examples(), 10);
  EXPECT_EQ(header.update().training_loss(), 0.25);
  ASSERT_OK_AND_ASSIGN(const Digest digest,
                       Sha256OfFile(files_, resume_state_->UpdatePath(Task().key())));
  EXPECT_EQ(header.digest(), digest.ToHex());
}

TEST_F(TaskFlowTest, TransfersAreInTheTasksTrace) {
  v1::Task task = Task();
  task.set_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

  ASSERT_EQ(Run(task).end, End::kDone);

  EXPECT_THAT(transfers_.traces,
              ElementsAre("4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4736"));
}

TEST_F(TaskFlowTest, CheckpointsAreKeptIfTheRecipeSaysSoAndDroppedAtTheEnd) {
  ASSERT_EQ(Run(Task()).end, End::kDone);
  EXPECT_EQ(trainer_.checkpoint_name, "");

  const v1::Task task = Task("training: {checkpointEvery: 30s}\n");
  ASSERT_EQ(Run(task).end, End::kDone);

  EXPECT_EQ(trainer_.checkpoint_name, CheckpointName(task));
  EXPECT_EQ(trainer_.checkpoint_every, absl::Seconds(30));
  EXPECT_FALSE(HasCheckpoint());
}

TEST_F(TaskFlowTest, CheckpointOfAFailedTaskIsDroppedAndOfAStoppedOneKeptUntilItIsForgotten) {
  const v1::Task task = Task("training: {checkpointEvery: 30s}\n");
  trainer_.train_results = {absl::FailedPreconditionError("no data")};
  ASSERT_EQ(Run(task).end, End::kFailed);
  EXPECT_FALSE(HasCheckpoint());

  cancel_.Cancel("the worker is stopping");
  ASSERT_EQ(Run(task).end, End::kCancelled);
  EXPECT_TRUE(HasCheckpoint());

  TaskFlow flow({.resume_state = resume_state_.get(), .checkpoints = checkpoints_.get()});
  flow.Forget(task.key());
  EXPECT_FALSE(HasCheckpoint());
}

TEST_F(TaskFlowTest, CheckpointStaysUntilTheUpdateIsOnTheDisk) {
  FaultyFileSystem disk;
  auto state = ResumeState::Open(&disk, folder_.File("updates"));
  ASSERT_THAT(state, IsOk());
  resume_state_ = *std::move(state);
  const v1::Task task = Task("training: {checkpointEvery: 30s}\n");
  disk.sync_fails = true;

  EXPECT_EQ(Run(task).end, End::kFailed);
  EXPECT_TRUE(HasCheckpoint());
  EXPECT_TRUE(transfers_.uploads.empty());

  disk.sync_fails = false;
  EXPECT_EQ(Run(task).end, End::kDone);
  EXPECT_FALSE(HasCheckpoint());
  resume_state_ = OpenResumeState();  // It borrows the disk.
}

TEST_F(TaskFlowTest, WritesTheUpdateInTheRecipesEncoding) {
  ASSERT_EQ(Run(Task()).end, End::kDone);
  ASSERT_EQ(Run(Task("updates: {encoding: bf16}\n")).end, End::kDone);

  EXPECT_FALSE(transfers_.compressed_last);
  ASSERT_EQ(transfers_.uploads.size(), 2);
  EXPECT_EQ(transfers_.uploads[0].total_bytes() - transfers_.uploads[1].total_bytes(), 3 * 2);
}

TEST_F(TaskFlowTest, TrainerReadsARoundedModelAsFp32AndTheUpdateNamesWhatWasDownloaded) {
  const std::string rounded =
      SafetensorsHeader(*Layout::Create({{"w", Dtype::kBf16, {3}}})) + "\x80\x3f\x80\x3f\x20\xc0";
  model_digest_ = Sha256Of(rounded).ToHex();
  transfers_.models[model_digest_] = rounded;

  ASSERT_EQ(Run(Task("updates: {download: bf16, compression: zstd}\n")).end, End::kDone);

  EXPECT_TRUE(transfers_.compressed_last);
  EXPECT_EQ(transfers_.uploads.front().update().base_model_digest(), model_digest_);
  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files_, trainer_.base_model));
  EXPECT_EQ(reader->layout(), *Layout::Create({{"w", Dtype::kF32, {3}}}));
  trainer_.base_model.clear();
  ASSERT_EQ(Run(EvaluateTask()).end, End::kDone);
  EXPECT_THAT(trainer_.base_model, HasSubstr(model_digest_ + ".fp32"));
}

TEST_F(TaskFlowTest, AKeptUpdateIsUploadedWithoutTraining) {
  ASSERT_EQ(Run(Task()).end, End::kDone);
  trainer_.calls.clear();

  EXPECT_EQ(Run(Task()).end, End::kDone);

  EXPECT_THAT(trainer_.calls, ElementsAre());
  ASSERT_EQ(transfers_.uploads.size(), 2);
  EXPECT_EQ(transfers_.uploads[0].digest(), transfers_.uploads[1].digest());
}

TEST_F(TaskFlowTest, NextAttemptSendsTheKeptUpdateWithoutTraining) {
  // The first attempt was aborted while the update was on its way.
  transfers_.upload_result = absl::FailedPreconditionError("round 3 attempt 1 is aborted");
  ASSERT_EQ(Run(Task()).end, End::kRefused);
  transfers_.upload_result = absl::OkStatus();
  trainer_.calls.clear();
  resume_state_ = OpenResumeState();  // The worker was started anew.

  const TaskResult result = Run(NextAttempt());

  EXPECT_EQ(result.end, End::kDone) << result.reason;
  EXPECT_THAT(trainer_.calls, ElementsAre());
  ASSERT_EQ(transfers_.uploads.size(), 2);
  EXPECT_EQ(transfers_.uploads[1].update().key().attempt(), 2);
  EXPECT_EQ(transfers_.uploads[1].digest(), transfers_.uploads[0].digest());
}

TEST_F(TaskFlowTest, NextAttemptOfAnotherSeedOrBaseModelIsTrainedForAnew) {
  ASSERT_EQ(Run(Task()).end, End::kDone);
  v1::Task other_seed = NextAttempt();
  other_seed.set_seed(8);
  trainer_.update = {4, 5, 6};
  ASSERT_EQ(Run(other_seed).end, End::kDone);
  EXPECT_EQ(std::count(trainer_.calls.begin(), trainer_.calls.end(), "train"), 2);

  const Digest other = WriteTensors(files_, folder_.File("other"), {1, 1, 1});
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadTextFile(files_, folder_.File("other"), 1000));
  transfers_.models[other.ToHex()] = text;
  other_seed.set_model_digest(other.ToHex());
  trainer_.update = {7, 8, 9};
  ASSERT_EQ(Run(other_seed).end, End::kDone);
  EXPECT_EQ(std::count(trainer_.calls.begin(), trainer_.calls.end(), "train"), 3);

  ASSERT_EQ(transfers_.uploads.size(), 3);
  EXPECT_NE(transfers_.uploads[0].digest(), transfers_.uploads[1].digest());
  EXPECT_NE(transfers_.uploads[1].digest(), transfers_.uploads[2].digest());
  EXPECT_THAT(KeptFiles(), testing::SizeIs(2)) << "the newest took the others' place";
}

TEST_F(TaskFlowTest, NextAttemptGoesOnFromTheCheckpointOfOneThatWasBrokenOff) {
  const v1::Task task = Task("training: {checkpointEvery: 30s}\n");
  cancel_.Cancel("attempt 1 was aborted");
  ASSERT_EQ(Run(task).end, End::kCancelled);
  v1::Task next_attempt = task;
  next_attempt.mutable_key()->set_attempt(2);

  EXPECT_TRUE(HasCheckpoint());
  EXPECT_EQ(trainer_.checkpoint_name, CheckpointName(next_attempt));
}

TEST_F(TaskFlowTest, NextRoundForgetsWhatWasKeptForTheLast) {
  const v1::Task task = Task("training: {checkpointEvery: 30s}\n");
  ASSERT_EQ(Run(task).end, End::kDone);
  const std::string checkpoint = folder_.Write("checkpoints/" + CheckpointName(task), "step 4");
  v1::Task next_round = task;
  next_round.mutable_key()->set_round_index(task.key().round_index() + 1);
  trainer_.train_results = {absl::FailedPreconditionError("no data")};

  EXPECT_EQ(Run(next_round).end, End::kFailed);

  EXPECT_THAT(KeptFiles(), ElementsAre());
  EXPECT_FALSE(files_.Exists(checkpoint));
}

TEST_F(TaskFlowTest, ACrashedTrainerGetsASecondTry) {
  trainer_.train_results = {absl::UnavailableError("the trainer ended with signal 11")};

  EXPECT_EQ(Run(Task()).end, End::kDone);

  EXPECT_THAT(trainer_.calls, ElementsAre("prepare", "train", "prepare", "train"));
}

TEST_F(TaskFlowTest, ATrainerThatCrashesTwiceFailsTheTask) {
  trainer_.train_results = {absl::UnavailableError("first"),
                            absl::UnavailableError("the trainer ended with signal 11")};

  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kFailed);
  EXPECT_EQ(result.reason, "the trainer ended with signal 11");
}

TEST_F(TaskFlowTest, ATrainerThatComesFurtherEachTimeIsStartedAgainAsOftenAsItBreaks) {
  trainer_.train_results.assign(4, absl::UnavailableError("the trainer ended with signal 9"));
  trainer_.steps = {10, 30, 30, 80};

  EXPECT_EQ(Run(Task()).end, End::kDone);

  EXPECT_EQ(std::count(trainer_.calls.begin(), trainer_.calls.end(), "train"), 5);
}

TEST_F(TaskFlowTest, ATrainerThatBreaksTwiceWhereItBrokeBeforeFailsTheTask) {
  trainer_.train_results.assign(4, absl::UnavailableError("the trainer ended with signal 11"));
  trainer_.steps = {10, 10, 10, 10};

  EXPECT_EQ(Run(Task()).end, End::kFailed);
  EXPECT_EQ(std::count(trainer_.calls.begin(), trainer_.calls.end(), "train"), 3);
}

TEST_F(TaskFlowTest, WhatTheTrainerCannotDoIsNotTriedAgain) {
  trainer_.train_results = {absl::FailedPreconditionError("the trainer says: no data")};

  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kFailed);
  EXPECT_EQ(result.reason, "the trainer says: no data");
  EXPECT_THAT(trainer_.calls, ElementsAre("prepare", "train"));
}

TEST_F(TaskFlowTest, AnUpdateWithoutNumbersStaysHere) {
  trainer_.update = {1, std::numeric_limits<float>::quiet_NaN(), 3};

  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("tensor \"w\" holds nan"));
  EXPECT_THAT(KeptFiles(), ElementsAre());
  EXPECT_THAT(transfers_.uploads, testing::IsEmpty());
}

TEST_F(TaskFlowTest, ALinkInPlaceOfAnUpdateIsNotFollowed) {
  trainer_.link_to = folder_.File("base");

  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("is not a regular file"));
  EXPECT_THAT(KeptFiles(), ElementsAre());
  EXPECT_TRUE(files_.Exists(folder_.File("base")));
}

TEST_F(TaskFlowTest, ARefusedUpdateIsNotKept) {
  transfers_.upload_result = absl::InvalidArgumentError("tensor \"w\" is out of bounds");

  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kRefused);
  EXPECT_FALSE(result.keeps_update);
  EXPECT_THAT(result.reason, HasSubstr("is out of bounds"));
  EXPECT_THAT(KeptFiles(), ElementsAre());
}

TEST_F(TaskFlowTest, AnUpdateThatCameTooLateIsRefusedAndKeptForTheNextAttempt) {
  transfers_.upload_result = absl::FailedPreconditionError("round 3 has closed");

  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kRefused);
  EXPECT_TRUE(result.keeps_update);
  EXPECT_THAT(result.reason, HasSubstr("and is kept: round 3 has closed"));
  EXPECT_THAT(KeptFiles(), testing::SizeIs(2));
}

TEST_F(TaskFlowTest, AnUpdateThatCouldNotBeSentIsKeptAndSaid) {
  transfers_.upload_result = absl::InternalError("cannot read the update to send: disk error");

  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("disk error"));
  EXPECT_THAT(KeptFiles(), testing::SizeIs(2));
}

// Who is not admitted, or asks about a job that is not known, is told nothing about the update:
// hours of training must not go with it.
TEST_F(TaskFlowTest, AnUpdateThatNobodyRefusedIsKeptAndSentTheNextTime) {
  for (const absl::Status& status :
       {absl::UnauthenticatedError("the certificate has expired"),
        absl::PermissionDeniedError("may not vouch for role worker"),
        absl::NotFoundError("there is no such job"), absl::UnimplementedError("no such method")}) {
    transfers_.upload_result = status;
    const TaskResult result = Run(Task());
    EXPECT_EQ(result.end, End::kFailed);
    EXPECT_TRUE(result.keeps_update);
    EXPECT_THAT(result.reason, HasSubstr(std::string(status.message())));
    EXPECT_THAT(KeptFiles(), testing::SizeIs(2)) << status;
  }

  transfers_.upload_result = absl::OkStatus();
  EXPECT_EQ(Run(Task()).end, End::kDone);

  EXPECT_EQ(std::count(trainer_.calls.begin(), trainer_.calls.end(), "train"), 1);
}

TEST_F(TaskFlowTest, AKeptUpdateIsNotSentIfThePolicyForbidsItNow) {
  ASSERT_EQ(Run(Task()).end, End::kDone);
  transfers_.uploads.clear();
  policy_ = LoadPolicy(files_, folder_.Write("policy.yaml", std::string(kOpenPolicy) +
                                                                "limits: {updateBytesMax: 10}\n"));

  const TaskResult result = Run(NextAttempt());

  EXPECT_EQ(result.end, End::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("update_bytes_max"));
  EXPECT_TRUE(transfers_.uploads.empty());
  EXPECT_THAT(KeptFiles(), ElementsAre());
}

TEST_F(TaskFlowTest, AnUpdateThePolicyFindsTooLargeIsNotEvenTrained) {
  policy_ = LoadPolicy(files_, folder_.Write("policy.yaml", std::string(kOpenPolicy) +
                                                                "limits: {updateBytesMax: 10}\n"));

  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("update_bytes_max"));
  EXPECT_THAT(trainer_.calls, ElementsAre());
}

TEST_F(TaskFlowTest, ThePolicyIsAskedAgainWhenTheTasksTurnComes) {
  policy_ = LoadPolicy(files_, folder_.Write("policy.yaml",
                                             "apiVersion: entente/v1\nkind: LocalPolicy\n"
                                             "rules: [{name: nobody, effect: deny}]\n"));

  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("nobody"));
  EXPECT_THAT(activities_, ElementsAre());
}

// A worker that says nothing is still shown as queued.
TEST_F(TaskFlowTest, KeptUpdateIsSaidToBeUploadedBeforeAByteOfItIsTaken) {
  transfers_.upload_result = absl::ResourceExhaustedError("no room");
  EXPECT_EQ(Run(Task()).end, End::kFailed);
  activities_.clear();

  Run(Task());

  EXPECT_THAT(activities_, ElementsAre("uploading"));
}

TEST_F(TaskFlowTest, JobsModelStaysForItsNextTaskAndGoesBeforeAnotherIsDownloaded) {
  ASSERT_OK_AND_ASSIGN(const Digest first, Digest::FromHex(model_digest_));
  ASSERT_EQ(Run(Task()).end, End::kDone);
  ASSERT_EQ(Run(EvaluateTask()).end, End::kDone);
  EXPECT_TRUE(cache_->Find(first).has_value());

  // One that never comes.
  ASSERT_EQ(Run(SomeTask(Sha256Of("none").ToHex())).end, End::kFailed);

  EXPECT_FALSE(cache_->Find(first).has_value());
  EXPECT_EQ(cache_->bytes(), 0);
}

TEST_F(TaskFlowTest, AKeptUpdateIsUploadedThoughItsModelIsGone) {
  transfers_.upload_result = absl::NotFoundError("there is no such job");
  ASSERT_EQ(Run(Task()).end, End::kFailed);
  ASSERT_EQ(Run(SomeTask(Sha256Of("none").ToHex())).end, End::kFailed);
  transfers_.upload_result = absl::OkStatus();
  transfers_.models.clear();

  EXPECT_EQ(Run(Task()).end, End::kDone);
}

TEST_F(TaskFlowTest, AModelThatIsNotThereFailsTheTask) {
  const TaskResult result = Run(SomeTask(Sha256Of("none").ToHex()));

  EXPECT_EQ(result.end, End::kFailed);
  EXPECT_EQ(result.reason, "there is no such model");
}

TEST_F(TaskFlowTest, AFullDiskIsSaidToBeThisWorkers) {
  transfers_.download_result = absl::ResourceExhaustedError("no room for a model; free some space");

  for (const v1::Task& task : {Task(), EvaluateTask()}) {
    const TaskResult result = Run(task);
    EXPECT_EQ(result.end, End::kFailed);
    EXPECT_EQ(result.reason,
              "this worker's disk, where workDirectory is: no room for a model; free some space");
  }
}

TEST_F(TaskFlowTest, ACancelledTaskEndsSo) {
  cancel_.Cancel("the round closed");

  EXPECT_EQ(Run(Task()).end, End::kCancelled);
}

TEST_F(TaskFlowTest, EvaluatesAModel) {
  const TaskResult result = Run(EvaluateTask());

  EXPECT_EQ(result.end, End::kDone) << result.reason;
  ASSERT_TRUE(result.metrics.has_value());
  EXPECT_EQ(result.metrics->examples(), 4);
  EXPECT_EQ(result.metrics->loss(), 0.5);
  EXPECT_EQ(result.metrics->accuracy(), 0.75);
  EXPECT_THAT(trainer_.calls, ElementsAre("prepare", "evaluate"));
}

TEST_F(TaskFlowTest, MetricsThatMeanNothingStayHere) {
  for (const auto& [evaluation, reason] : std::vector<std::pair<EvaluateResult, std::string>>{
           {{.examples = 0, .loss = 0.5, .accuracy = std::nullopt}, "no examples"},
           {{.examples = 4, .loss = std::nan(""), .accuracy = std::nullopt}, "not a number"},
           {{.examples = 4, .loss = 0.5, .accuracy = 1.5}, "not 0 to 1"}}) {
    trainer_.evaluation = evaluation;

    const TaskResult result = Run(EvaluateTask());

    EXPECT_EQ(result.end, End::kFailed);
    EXPECT_THAT(result.reason, HasSubstr(reason));
  }
}

TEST_F(TaskFlowTest, ATorchScriptModelsProgramIsBroughtToo) {
  v1::Recipe recipe = SomeRecipe();
  recipe.mutable_model()->mutable_torchscript()->set_digest(Sha256Of("program").ToHex());
  transfers_.models[Sha256Of("program").ToHex()] = "program";

  EXPECT_EQ(Run(SomeTask(model_digest_, recipe)).end, End::kDone);

  EXPECT_EQ(trainer_.prepared.program, folder_.File("models/" + Sha256Of("program").ToHex()));
}

TEST_F(TaskFlowTest, RoundingIsTheSameForTheSameTaskAndOthersRoundOtherwise) {
  trainer_.update = {0.1F, 0.2F, 0.3F};
  const auto digest = [this](uint64_t seed) {
    v1::Task task = Task("updates: {encoding: int4}\n");
    task.set_seed(seed);
    EXPECT_EQ(Run(task).end, End::kDone);
    resume_state_->Drop(task.key()).IgnoreError();
    return transfers_.uploads.back().digest();
  };
  EXPECT_EQ(digest(1), digest(1));
  std::set<std::string> different;
  for (uint64_t seed = 0; seed < 20; ++seed) different.insert(digest(seed));
  EXPECT_GT(different.size(), 1U);
}

}  // namespace
}  // namespace entente::worker
