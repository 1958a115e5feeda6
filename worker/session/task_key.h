// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TASK_KEY_H_
#define WORKER_SESSION_TASK_KEY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "entente/v1/task.pb.h"

namespace entente::worker {

bool SameTask(const v1::TaskKey& a, const v1::TaskKey& b);

// For people: "train fashion-mnist-k3x9qa round 3" (rounds counted from 1), and the attempt after
// the first.
std::string TaskText(const v1::TaskKey& key);

// So many hexadecimal digits of a SHA-256 stand in a file's name for what may be called anything.
inline constexpr size_t kFileStemDigits = 32;

// A name for the job that is safe as a file name: kFileStemDigits of its SHA-256.
std::string JobFileStem(absl::string_view job_id);

// Likewise for the task; begins with JobFileStem. The same for all attempts of a round: what was
// made for one of them is as good for the next.
std::string TaskFileStem(const v1::TaskKey& key);

// A name for the state of this very training: another model, recipe or seed under the same key
// gives another. Begins with TaskFileStem.
std::string CheckpointName(const v1::Task& task);

}  // namespace entente::worker

#endif  // WORKER_SESSION_TASK_KEY_H_
