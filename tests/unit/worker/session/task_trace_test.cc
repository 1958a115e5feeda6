// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_trace.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace entente::worker {
namespace {

constexpr char kExample[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

v1::Task TaskWith(const std::string& traceparent) {
  v1::Task task;
  task.mutable_key()->set_job_id("toy-1");
  task.mutable_key()->set_round_index(2);
  task.mutable_key()->set_attempt(1);
  task.mutable_key()->set_kind(v1::TaskKey::KIND_TRAIN);
  task.set_traceparent(traceparent);
  return task;
}

TEST(TaskTraceTest, TheTrainerIsInTheTasksTraceAndItsChild) {
  const TraceContext trainer = TrainerTrace(TaskWith(kExample));

  EXPECT_EQ(trainer.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_NE(trainer.parent_id(), "00f067aa0ba902b7");
}

TEST(TaskTraceTest, TransfersAreInTheTasksTraceAndItsChildren) {
  const TraceContext transfer = TransferTrace(TaskWith(kExample));

  EXPECT_EQ(transfer.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_NE(transfer.parent_id(), "00f067aa0ba902b7");
  EXPECT_NE(transfer.parent_id(), TrainerTrace(TaskWith(kExample)).parent_id());
}

TEST(TaskTraceTest, AnOlderOrHostileCoordinatorsTasksShareTheJobsOwnTrace) {
  const TraceContext none = TraceOfTask(TaskWith(""));

  EXPECT_EQ(TraceOfTask(TaskWith("00-\n=\"forged")).ToTraceparent(), none.ToTraceparent());
  EXPECT_EQ(TraceContext::Parse(none.ToTraceparent())->trace_id(), none.trace_id());
}

using Texts = std::map<std::string, std::string>;

Texts TextsOf(const std::vector<log::Field>& fields) {
  Texts texts;
  for (const log::Field& field : fields) texts[field.name] = field.value;
  return texts;
}

TEST(TaskTraceTest, LinesSayWhoseWorkItIs) {
  const Texts expected = {{"task", "train"},      {"job", "toy-1"},
                          {"round", "3"},         {"attempt", "1"},
                          {"worker", "fr-lab/w"}, {"trace", "4bf92f3577b34da6a3ce929d0e0e4736"}};

  EXPECT_EQ(TextsOf(TaskLogFields(TaskWith(kExample), WorkerId("fr-lab/w"))), expected);
}

TEST(TaskTraceTest, LinesOfAnEndedJobSayWhoseItWas) {
  v1::JobEnded ended;
  ended.set_job_id("toy-1");
  ended.set_round_index(2);
  ended.set_traceparent(kExample);
  const Texts expected = {{"job", "toy-1"},
                          {"round", "3"},
                          {"worker", "fr-lab/w"},
                          {"trace", "4bf92f3577b34da6a3ce929d0e0e4736"}};

  EXPECT_EQ(TextsOf(EndedJobLogFields(ended, WorkerId("fr-lab/w"))), expected);
}

TEST(TaskTraceTest, LinesOfAJobThatAnOlderCoordinatorEndedHaveTheTraceOfItsTasks) {
  v1::JobEnded ended;
  ended.set_job_id("toy-1");
  const Texts expected = {
      {"job", "toy-1"}, {"worker", "fr-lab/w"}, {"trace", TraceOfTask(TaskWith("")).trace_id()}};

  EXPECT_EQ(TextsOf(EndedJobLogFields(ended, WorkerId("fr-lab/w"))), expected);
}

}  // namespace
}  // namespace entente::worker
