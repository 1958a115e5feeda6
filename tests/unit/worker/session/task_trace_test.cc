// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_trace.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

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

TEST(TaskTraceTest, AnOlderOrHostileCoordinatorsTasksShareTheJobsOwnTrace) {
  const TraceContext none = TraceOfTask(TaskWith(""));

  EXPECT_EQ(TraceOfTask(TaskWith("00-\n=\"forged")).ToTraceparent(), none.ToTraceparent());
  EXPECT_EQ(TraceContext::Parse(none.ToTraceparent())->trace_id(), none.trace_id());
}

TEST(TaskTraceTest, LinesSayWhoseWorkItIs) {
  std::map<std::string, std::string> fields;
  for (const log::Field& field : TaskLogFields(TaskWith(kExample), WorkerId("fr-lab/w"))) {
    fields[field.name] = field.value;
  }

  const std::map<std::string, std::string> expected = {
      {"task", "train"}, {"job", "toy-1"},       {"round", "3"},
      {"attempt", "1"},  {"worker", "fr-lab/w"}, {"trace", "4bf92f3577b34da6a3ce929d0e0e4736"}};
  EXPECT_EQ(fields, expected);
}

}  // namespace
}  // namespace entente::worker
