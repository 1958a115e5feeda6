// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_trace.h"

#include <cstdint>

namespace entente::worker {

TraceContext TraceOfTask(const v1::Task& task) {
  return TraceOf(task.traceparent(), task.key().job_id());
}

TraceContext TrainerTrace(const v1::Task& task) { return TraceOfTask(task).Child("trainer"); }

TraceContext TransferTrace(const v1::Task& task) { return TraceOfTask(task).Child("transfer"); }

std::vector<log::Field> TaskLogFields(const v1::Task& task, const WorkerId& self) {
  const v1::TaskKey& key = task.key();
  return {{"task", key.kind() == v1::TaskKey::KIND_EVALUATE ? "evaluate" : "train"},
          {"job", key.job_id()},
          {"round", uint64_t{key.round_index()} + 1},
          {"attempt", key.attempt()},
          {"worker", self.value()},
          {"trace", TraceOfTask(task).trace_id()}};
}

std::vector<log::Field> EndedJobLogFields(const v1::JobEnded& ended, const WorkerId& self) {
  std::vector<log::Field> fields = {{"job", ended.job_id()}};
  if (!ended.traceparent().empty()) {
    fields.emplace_back("round", uint64_t{ended.round_index()} + 1);
  }
  fields.emplace_back("worker", self.value());
  fields.emplace_back("trace", TraceOf(ended.traceparent(), ended.job_id()).trace_id());
  return fields;
}

}  // namespace entente::worker
