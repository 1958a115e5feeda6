// SPDX-License-Identifier: Apache-2.0
#include "coordinator/jobs/job_state.h"

#include "common/base/check.h"

namespace entente::jobs {

absl::string_view JobStatusName(JobStatus status) {
  switch (status) {
    case JobStatus::kRunning:
      return "running";
    case JobStatus::kCompleted:
      return "completed";
    case JobStatus::kFailed:
      return "failed";
    case JobStatus::kCancelled:
      return "cancelled";
  }
  ENTENTE_CHECK(false);
}

}  // namespace entente::jobs
