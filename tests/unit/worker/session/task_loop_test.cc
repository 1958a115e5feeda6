// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/timer_queue.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/worker/session/session_examples.h"
#include "worker/session/task_key.h"

namespace entente::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr absl::Duration kLoopWait = absl::Seconds(30);

// Keeps every message as one line of text.
class FakeSender final : public ControlSender {
 public:
  void Send(v1::WorkerMessage message) override {
    absl::MutexLock lock(&mu_);
    lines_.push_back(AsText(message));
  }

  std::vector<std::string> lines() {
    absl::MutexLock lock(&mu_);
    return lines_;
  }

  // Waits until there are so many lines that start with `start`.
  bool WaitFor(const std::string& start, size_t count = 1) {
    absl::MutexLock lock(&mu_);
    const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return static_cast<size_t>(std::count_if(
                 lines_.begin(), lines_.end(),
                 [&](const std::string& line) { return line.rfind(start, 0) == 0; })) >= count;
    };
    return mu_.AwaitWithTimeout(absl::Condition(&there), kLoopWait);
  }

 private:
  static std::string AsText(const v1::WorkerMessage& message) {
    switch (message.kind_case()) {
      case v1::WorkerMessage::kAccepted:
        return absl::StrCat("accepted ", TaskText(message.accepted().key()));
      case v1::WorkerMessage::kDeclined:
        return absl::StrCat("declined ", TaskText(message.declined().key()), ": ",
                            message.declined().reason());
      case v1::WorkerMessage::kProgress:
        return absl::StrCat("progress ", TaskText(message.progress().key()), ": ",
                            message.progress().activity(), " ", message.progress().step());
      case v1::WorkerMessage::kFailed:
        return absl::StrCat("failed ", TaskText(message.failed().key()), ": ",
                            message.failed().reason(),
                            message.failed().may_return() ? " (may return)" : "");
      case v1::WorkerMessage::kEvaluated:
        return absl::StrCat("evaluated ", TaskText(message.evaluated().key()), ": ",
                            message.evaluated().metrics().loss());
      default:
        return "another";
    }
  }

  absl::Mutex mu_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
};

// Works on each task until the test lets it end, or it is cancelled.
class FakeRunner final : public TaskRunner {
 public:
  TaskResult Run(const v1::Task& task, absl::Time, const Report& report,
                 const CancelToken& cancel) override {
    const CancelToken::Registration registration = cancel.OnCancel([this] {
      absl::MutexLock lock(&mu_);
      results_.push_back({.end = TaskResult::End::kCancelled, .reason = "", .metrics = {}});
    });
    {
      absl::MutexLock lock(&mu_);
      runs_.push_back(TaskText(task.key()));
    }
    report("training", {.step = 1, .step_count = 2});
    absl::MutexLock lock(&mu_);
    const auto has_result = [this]()
                                ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !results_.empty(); };
    mu_.Await(absl::Condition(&has_result));
    TaskResult result = results_.front();
    results_.pop_front();
    if (result.end == TaskResult::End::kCancelled) {
      result.reason = "cancelled";
    }
    return result;
  }
  void Forget(const v1::TaskKey& key) override {
    absl::MutexLock lock(&mu_);
    forgotten_.push_back(TaskText(key));
  }
  void ForgetJob(const std::string& job_id) override {
    absl::MutexLock lock(&mu_);
    forgotten_.push_back("job " + job_id);
  }
  void Close() override {
    absl::MutexLock lock(&mu_);
    closed_ = true;
  }

  void End(TaskResult::End end, const std::string& reason = "", double loss = -1) {
    TaskResult result{.end = end, .reason = reason, .metrics = {}};
    if (loss >= 0) result.metrics.emplace().set_loss(loss);
    absl::MutexLock lock(&mu_);
    results_.push_back(result);
  }
  void EndKeepingUpdate(const std::string& reason) {
    absl::MutexLock lock(&mu_);
    results_.push_back(
        {.end = TaskResult::End::kFailed, .reason = reason, .metrics = {}, .keeps_update = true});
  }
  std::vector<std::string> runs() {
    absl::MutexLock lock(&mu_);
    return runs_;
  }
  bool WaitForRuns(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return runs_.size() >= count; };
    return mu_.AwaitWithTimeout(absl::Condition(&there), kLoopWait);
  }
  bool WaitForForgotten(const std::string& text) {
    absl::MutexLock lock(&mu_);
    const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return std::count(forgotten_.begin(), forgotten_.end(), text) > 0;
    };
    return mu_.AwaitWithTimeout(absl::Condition(&there), kLoopWait);
  }
  size_t forgotten_count() {
    absl::MutexLock lock(&mu_);
    return forgotten_.size();
  }
  bool closed() {
    absl::MutexLock lock(&mu_);
    return closed_;
  }

 private:
  absl::Mutex mu_;
  std::deque<TaskResult> results_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> runs_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> forgotten_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

class TaskLoopTest : public testing::Test {
 protected:
  TaskLoopTest()
      : policy_(LoadPolicy(files_, folder_.Write("policy.yaml", kOpenPolicy))),
        admission_({.datasets = &datasets_, .policy = &policy_, .clock = &clock_}),
        loop_({.sender = &sender_,
               .runner = &runner_,
               .admission = &admission_,
               .clock = &clock_,
               .executor = &executor_,
               .timers = &timers_}) {}

  static v1::Task Task(const std::string& job, uint32_t round_index = 0, uint32_t attempt = 1) {
    v1::Task task = SomeTask();
    task.mutable_key()->set_job_id(job);
    task.mutable_key()->set_round_index(round_index);
    task.mutable_key()->set_attempt(attempt);
    return task;
  }
  static v1::Task Evaluation(const std::string& job) {
    v1::Task task = Task(job);
    task.mutable_key()->set_kind(v1::TaskKey::KIND_EVALUATE);
    return task;
  }
  void Cancel(const v1::Task& task) {
    v1::TaskCancelled cancelled;
    *cancelled.mutable_key() = task.key();
    cancelled.set_reason("the round closed");
    loop_.HandleCancelled(cancelled);
  }

  TempFolder folder_;
  PosixFileSystem files_;
  SystemClock clock_;
  const OfferedDatasets datasets_ = SomeDatasets();
  LocalPolicy policy_;
  TaskAdmission admission_;
  FakeSender sender_;
  FakeRunner runner_;
  ThreadPool executor_{1};
  TimerQueue timers_{&clock_};
  TaskLoop loop_;
};

TEST_F(TaskLoopTest, AcceptsRunsAndReports) {
  loop_.HandleTask(Evaluation("a"));
  ASSERT_TRUE(sender_.WaitFor("progress"));
  runner_.End(TaskResult::End::kDone, "", 0.5);

  ASSERT_TRUE(sender_.WaitFor("evaluated"));
  EXPECT_THAT(sender_.lines(),
              ElementsAre("accepted evaluate a round 1", "progress evaluate a round 1: training 1",
                          "evaluated evaluate a round 1: 0.5"));
}

TEST_F(TaskLoopTest, TasksRunOneAfterTheOtherAndTheSecondIsQueued) {
  loop_.HandleTask(Task("a"));
  ASSERT_TRUE(runner_.WaitForRuns(1));
  loop_.HandleTask(Task("b"));
  EXPECT_TRUE(sender_.WaitFor("progress train b round 1: queued"));
  EXPECT_THAT(runner_.runs(), ElementsAre("train a round 1"));

  runner_.End(TaskResult::End::kDone);

  EXPECT_TRUE(runner_.WaitForRuns(2));
}

TEST_F(TaskLoopTest, GivenBackTasksAreDeclinedStoppedAndForgotten) {
  loop_.HandleTask(Task("a"));
  ASSERT_TRUE(runner_.WaitForRuns(1));
  loop_.HandleTask(Task("b"));
  ASSERT_TRUE(sender_.WaitFor("progress train b round 1: queued"));

  loop_.GiveBackTasks("away until Monday");

  EXPECT_TRUE(sender_.WaitFor("declined train a round 1: away until Monday"));
  EXPECT_TRUE(sender_.WaitFor("declined train b round 1: away until Monday"));
  EXPECT_TRUE(runner_.WaitForForgotten("train a round 1"));
  EXPECT_TRUE(runner_.WaitForForgotten("train b round 1"));
  // The worker is still of use once it is back.
  loop_.HandleTask(Task("c"));
  EXPECT_TRUE(runner_.WaitForRuns(2));
  EXPECT_THAT(runner_.runs(), ElementsAre("train a round 1", "train c round 1"));
  EXPECT_THAT(sender_.lines(), Not(::testing::Contains(StartsWith("failed"))));
}

TEST_F(TaskLoopTest, ATaskThatComesAgainIsAcceptedAndNotStartedTwice) {
  loop_.HandleTask(Task("a"));
  ASSERT_TRUE(sender_.WaitFor("progress"));

  loop_.HandleTask(Task("a"));

  EXPECT_TRUE(sender_.WaitFor("accepted", 2));
  EXPECT_TRUE(sender_.WaitFor("progress train a round 1: training 1", 2));
  EXPECT_THAT(runner_.runs(), ElementsAre("train a round 1"));
}

TEST_F(TaskLoopTest, AnAnswerThatWasLostIsGivenAgain) {
  loop_.HandleTask(Evaluation("a"));
  runner_.End(TaskResult::End::kDone, "", 0.5);
  ASSERT_TRUE(sender_.WaitFor("evaluated"));

  loop_.HandleTask(Evaluation("a"));

  EXPECT_TRUE(sender_.WaitFor("evaluated", 2));
  EXPECT_EQ(runner_.runs().size(), 1);
}

TEST_F(TaskLoopTest, AnUploadedUpdateThatIsAskedForAgainIsSentAgain) {
  loop_.HandleTask(Task("a"));
  runner_.End(TaskResult::End::kDone);
  loop_.HandleTask(Task("b"));
  ASSERT_TRUE(runner_.WaitForRuns(2));

  loop_.HandleTask(Task("a"));
  runner_.End(TaskResult::End::kDone);

  EXPECT_TRUE(runner_.WaitForRuns(3));
  EXPECT_EQ(runner_.runs().back(), "train a round 1");
}

TEST_F(TaskLoopTest, AFailureIsSaidWithItsReason) {
  loop_.HandleTask(Task("a"));
  runner_.End(TaskResult::End::kFailed, "the trainer ended with signal 11");

  EXPECT_TRUE(sender_.WaitFor("failed train a round 1: the trainer ended with signal 11"));
}

TEST_F(TaskLoopTest, AFailureIsSaidAgainUnlessTheUpdateIsKept) {
  loop_.HandleTask(Task("a"));
  runner_.End(TaskResult::End::kFailed, "no data");
  ASSERT_TRUE(sender_.WaitFor("failed train a round 1: no data"));
  loop_.HandleTask(Task("b"));
  runner_.EndKeepingUpdate("there is no such job");
  ASSERT_TRUE(sender_.WaitFor("failed train b round 1: there is no such job"));

  loop_.HandleTask(Task("a"));
  loop_.HandleTask(Task("b"));
  runner_.End(TaskResult::End::kDone);

  EXPECT_TRUE(sender_.WaitFor("failed train a round 1: no data", 2));
  EXPECT_TRUE(runner_.WaitForRuns(3));
  EXPECT_THAT(runner_.runs(), ElementsAre("train a round 1", "train b round 1", "train b round 1"));
}

// The coordinator could not read a message with anything else, and would end the stream.
TEST_F(TaskLoopTest, WhatIsSaidIsUtf8) {
  loop_.HandleTask(Task("a"));
  runner_.End(TaskResult::End::kFailed, "caf\xe9");

  EXPECT_TRUE(sender_.WaitFor("failed train a round 1: caf\xef\xbf\xbd"));
}

TEST_F(TaskLoopTest, ARefusalIsNotSaidToWhoRefused) {
  loop_.HandleTask(Task("a"));
  runner_.End(TaskResult::End::kRefused, "the round had closed");
  loop_.HandleTask(Task("b"));
  ASSERT_TRUE(runner_.WaitForRuns(2));

  for (const std::string& line : sender_.lines()) EXPECT_THAT(line, Not(StartsWith("failed")));
}

TEST_F(TaskLoopTest, CancellingEndsARunningTaskAndItsUpdateStaysForTheNextAttempt) {
  loop_.HandleTask(Task("a"));
  ASSERT_TRUE(runner_.WaitForRuns(1));

  Cancel(Task("a"));
  loop_.HandleTask(Task("a", 0, 2));

  ASSERT_TRUE(runner_.WaitForRuns(2));
  EXPECT_THAT(runner_.runs(), ElementsAre("train a round 1", "train a round 1 attempt 2"));
  EXPECT_EQ(runner_.forgotten_count(), 0);
  for (const std::string& line : sender_.lines()) EXPECT_THAT(line, Not(StartsWith("failed")));
}

TEST_F(TaskLoopTest, NextAttemptsTaskReplacesTheOldAndNothingIsForgotten) {
  loop_.HandleTask(Task("a"));
  ASSERT_TRUE(runner_.WaitForRuns(1));

  loop_.HandleTask(Task("a", 0, 2));

  ASSERT_TRUE(runner_.WaitForRuns(2));  // What was to be forgotten would be by now.
  EXPECT_EQ(runner_.forgotten_count(), 0);
}

TEST_F(TaskLoopTest, CancellingAQueuedTaskKeepsItFromStarting) {
  loop_.HandleTask(Task("a"));
  ASSERT_TRUE(runner_.WaitForRuns(1));
  loop_.HandleTask(Task("b"));
  loop_.HandleTask(Task("c"));

  Cancel(Task("b"));
  runner_.End(TaskResult::End::kDone);

  ASSERT_TRUE(runner_.WaitForRuns(2));
  EXPECT_THAT(runner_.runs(), ElementsAre("train a round 1", "train c round 1"));
}

TEST_F(TaskLoopTest, CancellingSomethingElseChangesNothing) {
  loop_.HandleTask(Task("a"));
  ASSERT_TRUE(runner_.WaitForRuns(1));

  Cancel(Task("a", 7));
  Cancel(Task("z"));
  runner_.End(TaskResult::End::kFailed, "still here");

  EXPECT_TRUE(sender_.WaitFor("failed train a round 1: still here"));
}

TEST_F(TaskLoopTest, TheNextRoundsTaskReplacesTheOld) {
  loop_.HandleTask(Task("a", 0));
  ASSERT_TRUE(runner_.WaitForRuns(1));

  loop_.HandleTask(Task("a", 1));

  EXPECT_TRUE(runner_.WaitForRuns(2));
  EXPECT_TRUE(runner_.WaitForForgotten("train a round 1"));
}

TEST_F(TaskLoopTest, ATaskThatIsNotTakenIsDeclined) {
  v1::Task task = Task("a");
  task.clear_submitter();

  loop_.HandleTask(task);

  EXPECT_THAT(sender_.lines(),
              ElementsAre(AllOf(StartsWith("declined train a round 1"), HasSubstr("submitted"))));
}

TEST_F(TaskLoopTest, ProgressIsSaidThreeTimesALeaseThoughTheTrainerIsBusy) {
  v1::Task task = Task("a");
  *task.mutable_lease() = ToProto(absl::Milliseconds(300));

  loop_.HandleTask(task);

  EXPECT_TRUE(sender_.WaitFor("progress train a round 1: training 1", 3));
}

TEST_F(TaskLoopTest, AnOverdueTaskIsStopped) {
  v1::Task task = Task("a");
  *task.mutable_deadline() = ToProto(absl::Milliseconds(20));

  loop_.HandleTask(task);

  EXPECT_TRUE(sender_.WaitFor("failed train a round 1"));
}

// A round whose update was lost is open longer, and asks again whoever it lacks.
TEST_F(TaskLoopTest, AnOverdueTaskThatComesAgainIsBegunAnew) {
  v1::Task task = Task("a");
  *task.mutable_deadline() = ToProto(absl::Milliseconds(20));
  loop_.HandleTask(task);
  ASSERT_TRUE(sender_.WaitFor("failed train a round 1"));

  loop_.HandleTask(Task("a"));
  ASSERT_TRUE(runner_.WaitForRuns(2));
  runner_.End(TaskResult::End::kFailed, "no data");

  ASSERT_TRUE(sender_.WaitFor("failed train a round 1: no data"));
  EXPECT_THAT(runner_.runs(), ElementsAre("train a round 1", "train a round 1"));
  const std::vector<std::string> lines = sender_.lines();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "accepted train a round 1"), 2);
}

TEST_F(TaskLoopTest, DrainingWaitsForTheRunningTask) {
  loop_.HandleTask(Evaluation("a"));
  ASSERT_TRUE(runner_.WaitForRuns(1));
  runner_.End(TaskResult::End::kDone, "", 0.5);

  loop_.Drain(kLoopWait);

  EXPECT_EQ(sender_.lines().back(), "evaluated evaluate a round 1: 0.5");
  EXPECT_TRUE(runner_.closed());
}

TEST_F(TaskLoopTest, DrainingGivesUpWhatDoesNotEndInTimeAndSaysSo) {
  loop_.HandleTask(Task("a"));
  ASSERT_TRUE(runner_.WaitForRuns(1));
  loop_.HandleTask(Task("b"));

  loop_.Drain(absl::ZeroDuration());

  EXPECT_TRUE(sender_.WaitFor("failed train a round 1: the worker is stopping (may return)"));
  EXPECT_TRUE(sender_.WaitFor("failed train b round 1: the worker is stopping (may return)"));
  EXPECT_THAT(runner_.runs(), ElementsAre("train a round 1"));
  EXPECT_TRUE(runner_.closed());
}

TEST_F(TaskLoopTest, NothingIsTakenAfterDraining) {
  loop_.Drain(absl::ZeroDuration());

  loop_.HandleTask(Task("a"));

  EXPECT_THAT(sender_.lines(), ElementsAre("declined train a round 1: the worker is stopping"));
}

TEST_F(TaskLoopTest, TooManyTasksAreDeclined) {
  loop_.HandleTask(Task("first"));
  ASSERT_TRUE(runner_.WaitForRuns(1));
  for (size_t i = 0; i <= limits::kWorkerTasksMax; ++i)
    loop_.HandleTask(Task(absl::StrCat("j", i)));

  EXPECT_THAT(sender_.lines().back(), HasSubstr("the worker has 64 tasks waiting already"));
}

TEST_F(TaskLoopTest, TasksThatReplaceEachOtherWithoutEndAreNotAllRemembered) {
  loop_.HandleTask(Task("a"));
  ASSERT_TRUE(runner_.WaitForRuns(1));
  v1::Task task = Task("b");
  for (uint32_t round_index = 0; round_index < 3 * limits::kWorkerTasksToForgetMax; ++round_index) {
    task.mutable_key()->set_round_index(round_index);
    loop_.HandleTask(task);
  }

  runner_.End(TaskResult::End::kDone);

  ASSERT_TRUE(runner_.WaitForRuns(2));  // By then what came before is forgotten.
  EXPECT_EQ(runner_.forgotten_count(), limits::kWorkerTasksToForgetMax);
  EXPECT_EQ(runner_.runs().back(), TaskText(task.key()));
}

TEST_F(TaskLoopTest, EndedJobIsForgottenOnceItsTaskHasEnded) {
  loop_.HandleTask(Task("a"));
  ASSERT_TRUE(runner_.WaitForRuns(1));
  v1::JobEnded ended;
  ended.set_job_id("a");

  Cancel(Task("a"));
  loop_.HandleJobEnded(ended);

  EXPECT_TRUE(runner_.WaitForForgotten("job a"));
}

}  // namespace
}  // namespace entente::worker
