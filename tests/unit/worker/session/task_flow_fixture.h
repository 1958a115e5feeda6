// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_WORKER_SESSION_TASK_FLOW_FIXTURE_H_
#define TESTS_UNIT_WORKER_SESSION_TASK_FLOW_FIXTURE_H_

// A task flow with real files, and with what task_flow_fakes.h has for the rest.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/codec/tensor_values.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/worker/session/session_examples.h"
#include "tests/unit/worker/session/task_flow_fakes.h"
#include "worker/session/task_flow.h"

namespace entente::worker {

class TaskFlowTest : public testing::Test {
 protected:
  using End = TaskResult::End;

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
                   .models = cache_.get(),
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
  // Of the same round.
  v1::Task NextAttempt() {
    v1::Task task = Task();
    task.mutable_key()->set_attempt(task.key().attempt() + 1);
    return task;
  }
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

}  // namespace entente::worker

#endif  // TESTS_UNIT_WORKER_SESSION_TASK_FLOW_FIXTURE_H_
