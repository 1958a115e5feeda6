// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_NOTIFY_NOTIFICATION_H_
#define COORDINATOR_NOTIFY_NOTIFICATION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/strong_id.h"

namespace entente::notify {

enum class Event { kJobFinished, kJobFailed, kJobCancelled, kRoundAborted, kWorkerGone };

// "job_finished", as in the configuration.
absl::string_view EventName(Event event);

// Something that somebody wants to be told. No data of anybody's is in it.
struct Notification {
  std::string id;  // Unlike any other's, the same at every try: receivers drop what they know.
  Event event = Event::kJobFinished;
  absl::Time at;
  JobId job;                            // Empty: it is about none.
  std::optional<uint32_t> round_index;  // 0-based; of the attempt that ended, or the job's last.
  uint32_t attempt = 0;                 // 1-based; with round_index.
  WorkerId worker;                      // Empty: it is about none.
  std::string reason;                   // One sentence.
  std::string trace;                    // The job's trace id; empty without a job.
};

// What is sent: one JSON object, in UTF-8. Rounds are counted from 1; what does not apply is left
// out. `coordinator` is who sends, a SPIFFE id.
std::string ToJson(const Notification& notification, absl::string_view coordinator);

}  // namespace entente::notify

#endif  // COORDINATOR_NOTIFY_NOTIFICATION_H_
