// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/observed_journal.h"

#include "common/base/limits.h"

namespace entente::store {

absl::Status ObservedJournal::Append(const JournalEntry& entry) {
  absl::Status status = journal_.Append(entry);
  Note(status);
  if (status.ok() && observer_) observer_(entry);
  return status;
}

void ObservedJournal::Note(const absl::Status& outcome) {
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mu_);
  outcome_ = outcome;
  outcome_at_ = now;
}

absl::Status ObservedJournal::Health() const {
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mu_);
  if (outcome_.ok() || now - outcome_at_ >= limits::kJournalFailureAgeMax) return absl::OkStatus();
  if (absl::IsResourceExhausted(outcome_)) {
    return absl::ResourceExhaustedError(
        "the journal could not be written for its disk is full, so jobs do not move; free some "
        "space on the coordinator's disk");
  }
  return absl::UnavailableError(
      "the journal could not be written, so jobs do not move; the coordinator's log says why");
}

}  // namespace entente::store
