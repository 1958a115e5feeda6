// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_RECORD_CONVERTER_H_
#define COORDINATOR_STORE_RECORD_CONVERTER_H_

// Between a job's events and the journal's records.

#include "absl/status/statusor.h"
#include "coordinator/jobs/job_machine.h"
#include "entente/storage/v1/journal.pb.h"

namespace entente::store {

// For every event but Submitted, whose record also keeps the recipe; see JobSubmitted.
storage::v1::JobRecord ToRecord(const jobs::JobEvent& event);

// DATA_LOSS if a field is missing or malformed. A JobSubmitted record becomes jobs::Submitted with
// the plan of its recipe.
absl::StatusOr<jobs::JobEvent> FromRecord(const storage::v1::JobRecord& record);

}  // namespace entente::store

#endif  // COORDINATOR_STORE_RECORD_CONVERTER_H_
