// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TASK_ADMISSION_H_
#define WORKER_SESSION_TASK_ADMISSION_H_

// Whether this worker takes a task: it is complete and consistent, the data set is here, and the
// site's policy permits it. The coordinator is believed nothing.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/clock.h"
#include "entente/config/v1/worker.pb.h"
#include "entente/v1/task.pb.h"
#include "worker/policy/local_policy.h"

namespace entente::worker {

// What this worker offers, by name.
using OfferedDatasets = std::map<std::string, config::v1::Dataset>;

// OK, or INVALID_ARGUMENT naming what is wrong with the task; NOT_FOUND if the data set is not
// offered here. Pure.
absl::Status CheckTask(const v1::Task& task, const OfferedDatasets& datasets);

// Constant; thread-safe.
class TaskAdmission {
 public:
  // Borrowed; all must outlive this.
  struct Dependencies {
    const OfferedDatasets* datasets = nullptr;
    const LocalPolicy* policy = nullptr;
    const Clock* clock = nullptr;
    // Why the worker takes no task for now; empty if it does. Null: it always does.
    std::function<std::string()> away = nullptr;
  };

  explicit TaskAdmission(Dependencies dependencies);

  // What to answer if the task is not taken; nothing if it is.
  std::optional<v1::TaskDeclined> Refusal(const v1::Task& task) const;

  // What the policy says to the task's start now. PERMISSION_DENIED, naming the rule.
  absl::Status CheckStart(const v1::Task& task) const;

  // The same for sending an update of that size, at whatever hour the training has ended.
  absl::Status CheckUpdate(const v1::Task& task, uint64_t update_bytes) const;

 private:
  const Dependencies dependencies_;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_TASK_ADMISSION_H_
