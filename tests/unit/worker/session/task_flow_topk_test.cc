// SPDX-License-Identifier: Apache-2.0
// What topk leaves out of an update, from round to round.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/worker/session/task_flow_fixture.h"
#include "worker/session/task_key.h"

namespace entente::worker {
namespace {

using ::testing::ElementsAre;

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
  TaskFlow flow({.files = &files_,
                 .admission = &admission,
                 .resume_state = resume_state_.get(),
                 .residuals = residuals_.get()});

  flow.ForgetJob("toy-1");

  EXPECT_THAT(ResidualFiles(), ElementsAre());
}

TEST_F(TopkTaskFlowTest, EndOfTheJobRemovesItsUpdateAndCheckpointsAndNoOtherJobs) {
  v1::Task other_job = TopkTask(0);
  other_job.mutable_key()->set_job_id("toy-2");
  Send(other_job);
  Send(TopkTask(0));
  EXPECT_THAT(KeptFiles(), testing::SizeIs(4));
  const std::string checkpoint =
      folder_.Write("checkpoints/" + CheckpointName(TopkTask(0)), "step 4");
  const std::string other_checkpoint =
      folder_.Write("checkpoints/" + CheckpointName(other_job), "step 4");
  resume_state_ = OpenResumeState();  // The worker was started anew.
  TaskFlow flow({.files = &files_,
                 .resume_state = resume_state_.get(),
                 .residuals = residuals_.get(),
                 .checkpoints = checkpoints_.get()});

  flow.ForgetJob("toy-1");

  EXPECT_FALSE(resume_state_->Find(TopkTask(0)).has_value());
  EXPECT_TRUE(resume_state_->Find(other_job).has_value());
  EXPECT_THAT(KeptFiles(), testing::SizeIs(2));
  EXPECT_FALSE(files_.Exists(checkpoint));
  EXPECT_TRUE(files_.Exists(other_checkpoint));
}

}  // namespace
}  // namespace entente::worker
