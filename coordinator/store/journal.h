// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_JOURNAL_H_
#define COORDINATOR_STORE_JOURNAL_H_

// The truth: append-only events of every job. Current state is a fold over them. What Append has
// returned OK for survives a power cut.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/strong_id.h"
#include "entente/storage/v1/journal.pb.h"

namespace entente::store {

struct JournalEntry {
  JobId job;
  uint64_t sequence = 0;  // Of the job, from 1, without gaps.
  absl::Time at;          // When the event happened, to the microsecond.
  storage::v1::JobRecord record;
};

// Thread-safe.
class Journal {
 public:
  virtual ~Journal() = default;

  // Durable when it returns OK. ABORTED if `sequence` is not the job's next: another coordinator
  // has written. RESOURCE_EXHAUSTED: disk full. UNAVAILABLE: could not be written, nothing changed.
  virtual absl::Status Append(const JournalEntry& entry) = 0;

  // Whether it takes entries at all, as far as is known; otherwise one sentence that anybody may
  // read.
  virtual absl::Status Health() const { return absl::OkStatus(); }

  // Every entry, jobs in the order of their first one, each job's in order. Stops at the first
  // error `visit` returns. DATA_LOSS if an entry cannot be read.
  virtual absl::Status Replay(
      const std::function<absl::Status(const JournalEntry&)>& visit) const = 0;
};

}  // namespace entente::store

#endif  // COORDINATOR_STORE_JOURNAL_H_
