// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "common/codec/tensor_values.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/worker/session/session_examples.h"
#include "tests/unit/worker/session/task_flow_fakes.h"
#include "worker/session/task_key.h"

namespace entente::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using End = TaskResult::End;

class TaskFlowTest : public testing::Test {
 protected:
  TaskFlowTest()
      : cache_(OpenCache()),
        resume_state_(OpenResumeState()),
        residuals_(OpenResiduals()),
        transfers_(cache_.get()),
        trainer_(&files_, folder_.path()),
        policy_(LoadPolicy(files_, folder_.Write("policy.yaml", kOpenPolicy))) {
    model_digest_ = WriteTensors(files_, folder_.File("base"), {0, 0, 0}).ToHex();
    auto text = ReadTextFile(files_, folder_.File("base"), 1000);
    EXPECT_THAT(text, IsOk());
    transfers_.models[model_digest_] = *text;
    auto checkpoints =
        CheckpointStore::Open(&files_, folder_.File("checkpoints"), folder_.File("trainer"));
    EXPECT_THAT(checkpoints, IsOk());
    EXPECT_THAT(files_.CreateFolder(folder_.File("trainer")), IsOk());
    checkpoints_ = *std::move(checkpoints);
    trainer_.checkpoints = checkpoints_.get();
  }
  // Whether one is kept for the next try.
  bool HasCheckpoint() {
    checkpoints_->TakeBack();
    return files_.Exists(folder_.File("checkpoints/") + trainer_.checkpoint_name);
  }

  TaskResult Run(const v1::Task& task) {
    const TaskAdmission admission({.datasets = &datasets_, .policy = &policy_, .clock = &clock_});
    TaskFlow flow({.files = &files_,
                   .clock = &clock_,
                   .datasets = &datasets_,
                   .admission = &admission,
                   .transfers = &transfers_,
                   .trainer = &trainer_,
                   .resume_state = resume_state_.get(),
                   .residuals = residuals_.get(),
                   .checkpoints = checkpoints_.get()});
    return flow.Run(
        task, clock_.Now() + absl::Minutes(10),
        [this](absl::string_view activity, const StepProgress&) {
          if (activities_.empty() || activities_.back() != std::string(activity)) {
            activities_.push_back(std::string(activity));
          }
        },
        cancel_);
  }

  v1::Task Task(const std::string& more = "") { return SomeTask(model_digest_, SomeRecipe(more)); }
  v1::Task EvaluateTask() {
    v1::Task task = Task();
    task.mutable_key()->set_kind(v1::TaskKey::KIND_EVALUATE);
    return task;
  }

  std::unique_ptr<ModelCache> OpenCache() {
    auto cache = ModelCache::Open(&files_, folder_.File("models"), 10'000);
    EXPECT_THAT(cache, IsOk());
    return *std::move(cache);
  }
  std::unique_ptr<ResumeState> OpenResumeState() {
    auto state = ResumeState::Open(&files_, folder_.File("updates"));
    EXPECT_THAT(state, IsOk());
    return *std::move(state);
  }
  std::unique_ptr<ResidualStore> OpenResiduals() {
    auto store = ResidualStore::Open(&files_, folder_.File("residuals"));
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }
  // What the update that is kept for the task decodes to.
  std::vector<float> Sent(const v1::Task& task, const UpdateEncoding& encoding) {
    const auto reader = SafetensorsReader::Open(files_, resume_state_->UpdatePath(task.key()));
    EXPECT_THAT(reader, IsOk());
    std::vector<float> sent;
    const auto collect = [&sent](uint64_t, absl::Span<const float> values) {
      sent.assign(values.begin(), values.end());
      return absl::OkStatus();
    };
    EXPECT_THAT(VisitValues(**reader, {.index = 0, .elements = 3, .encoding = encoding}, collect),
                IsOk());
    return sent;
  }
  std::vector<std::string> ResidualFiles() {
    auto names = files_.ListFiles(folder_.File("residuals"));
    EXPECT_THAT(names, IsOk());
    return *names;
  }
  std::vector<std::string> KeptFiles() {
    auto names = files_.ListFiles(folder_.File("updates"));
    EXPECT_THAT(names, IsOk());
    return *names;
  }

  TempFolder folder_;
  PosixFileSystem files_;
  SimulatedClock clock_;
  std::unique_ptr<ModelCache> cache_;
  std::unique_ptr<ResumeState> resume_state_;
  std::unique_ptr<ResidualStore> residuals_;
  std::unique_ptr<CheckpointStore> checkpoints_;
  FakeTransfers transfers_;
  FakeTrainer trainer_;
  LocalPolicy policy_;
  const OfferedDatasets datasets_ = SomeDatasets();
  CancelToken cancel_;
  std::string model_digest_;
  std::vector<std::string> activities_;
};

TEST_F(TaskFlowTest, TrainsEncodesAndUploads) {
  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kDone) << result.reason;
  EXPECT_THAT(activities_, ElementsAre("downloading", "preparing", "training"));
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
  transfers_.upload_result = absl::FailedPreconditionError("round 3 has closed");

  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kRefused);
  EXPECT_THAT(result.reason, HasSubstr("round 3 has closed"));
  EXPECT_THAT(KeptFiles(), ElementsAre());
}

TEST_F(TaskFlowTest, AnUpdateThatCouldNotBeSentIsKeptAndSaid) {
  transfers_.upload_result = absl::InternalError("cannot read the update to send: disk error");

  const TaskResult result = Run(Task());

  EXPECT_EQ(result.end, End::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("disk error"));
  EXPECT_THAT(KeptFiles(), testing::SizeIs(2));
}

TEST_F(TaskFlowTest, AKeptUpdateIsNotSentIfThePolicyForbidsItNow) {
  ASSERT_EQ(Run(Task()).end, End::kDone);
  transfers_.uploads.clear();
  policy_ = LoadPolicy(files_, folder_.Write("policy.yaml", std::string(kOpenPolicy) +
                                                                "limits: {updateBytesMax: 10}\n"));

  const TaskResult result = Run(Task());

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

TEST_F(TaskFlowTest, AModelThatIsNotThereFailsTheTask) {
  const TaskResult result = Run(SomeTask(Sha256Of("none").ToHex()));

  EXPECT_EQ(result.end, End::kFailed);
  EXPECT_EQ(result.reason, "there is no such model");
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

// One number of three is sent, and exactly: the 2-bit scale is the largest.
const UpdateEncoding kOneOfThree = UpdateEncoding::Topk(0.25, TopkValues::k2Bit);

class TopkTaskFlowTest : public TaskFlowTest {
 protected:
  v1::Task TopkTask(uint32_t round, uint32_t attempt = 1, const std::string& counted = "") {
    v1::Task task = Task("updates: {encoding: topk, topk: {fraction: 0.25, values: 2bit}}\n");
    task.mutable_key()->set_round_index(round);
    task.mutable_key()->set_attempt(attempt);
    task.set_counted_update_digest(counted);
    return task;
  }
  // Runs it and returns the digest of what was sent.
  std::string Send(const v1::Task& task) {
    const TaskResult result = Run(task);
    EXPECT_EQ(result.end, End::kDone) << result.reason;
    return transfers_.uploads.back().digest();
  }
};

TEST_F(TopkTaskFlowTest, WhatIsLeftOutGoesIntoTheNextUpdate) {
  const std::string first = Send(TopkTask(0));
  EXPECT_THAT(Sent(TopkTask(0), kOneOfThree), ElementsAre(0, 0, 3));

  resume_state_ = OpenResumeState();  // The worker was started anew.
  residuals_ = OpenResiduals();
  const std::string second = Send(TopkTask(1, 1, first));
  EXPECT_THAT(Sent(TopkTask(1), kOneOfThree), ElementsAre(0, 4, 0));

  Send(TopkTask(2, 1, second));
  EXPECT_THAT(Sent(TopkTask(2), kOneOfThree), ElementsAre(0, 0, 6));
  EXPECT_THAT(ResidualFiles(), testing::SizeIs(2)) << "the one that counted and the new one";
}

TEST_F(TopkTaskFlowTest, WhatIsLeftOutGoesIntoAnUpdateInFp32AsAWhole) {
  const std::string first = Send(TopkTask(0));
  v1::Task task = Task();
  task.mutable_key()->set_round_index(1);
  task.set_counted_update_digest(first);

  const std::string second = Send(task);

  EXPECT_THAT(Sent(task, UpdateEncoding::kFp32), ElementsAre(2, 4, 3));
  Send(TopkTask(2, 1, second));
  EXPECT_THAT(Sent(TopkTask(2), kOneOfThree), ElementsAre(0, 0, 3)) << "nothing was left";
}

TEST_F(TopkTaskFlowTest, UpdateThatDidNotCountLeavesTheResidualAsItWas) {
  const std::string first = Send(TopkTask(0));
  Send(TopkTask(1, 1, first));

  // The attempt was aborted: the model never had that update.
  Send(TopkTask(1, 2, first));
  EXPECT_THAT(Sent(TopkTask(1, 2), kOneOfThree), ElementsAre(0, 4, 0));

  transfers_.upload_result = absl::InvalidArgumentError("refused");
  EXPECT_EQ(Run(TopkTask(2, 1, first)).end, End::kRefused);
  transfers_.upload_result = absl::OkStatus();
  Send(TopkTask(3, 1, first));
  EXPECT_THAT(Sent(TopkTask(3), kOneOfThree), ElementsAre(0, 4, 0));
}

TEST_F(TopkTaskFlowTest, KeptUpdateThatIsSentAgainKeepsItsResidual) {
  transfers_.upload_result = absl::InternalError("cannot read");
  EXPECT_EQ(Run(TopkTask(0)).end, End::kFailed);
  transfers_.upload_result = absl::OkStatus();

  const std::string sent_again = Send(TopkTask(0));
  Send(TopkTask(1, 1, sent_again));

  EXPECT_THAT(trainer_.calls, ElementsAre("prepare", "train", "prepare", "train"));
  EXPECT_THAT(Sent(TopkTask(1), kOneOfThree), ElementsAre(0, 4, 0));
}

TEST_F(TopkTaskFlowTest, ResidualThatIsNotHereOrIsSpoiltCostsItselfAlone) {
  Send(TopkTask(1, 1, Sha256Of("made elsewhere").ToHex()));
  EXPECT_THAT(Sent(TopkTask(1), kOneOfThree), ElementsAre(0, 0, 3));

  const std::string counted = transfers_.uploads.back().digest();
  folder_.Write("residuals/" + ResidualFiles().front(), "spoilt");
  Send(TopkTask(2, 1, counted));
  EXPECT_THAT(Sent(TopkTask(2), kOneOfThree), ElementsAre(0, 0, 3));
}

TEST_F(TopkTaskFlowTest, EndOfTheJobRemovesItsResiduals) {
  Send(TopkTask(0));
  EXPECT_THAT(ResidualFiles(), testing::SizeIs(1));
  const TaskAdmission admission({.datasets = &datasets_, .policy = &policy_, .clock = &clock_});
  TaskFlow flow({.files = &files_, .admission = &admission, .residuals = residuals_.get()});

  flow.ForgetJob("toy-1");

  EXPECT_THAT(ResidualFiles(), ElementsAre());
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
