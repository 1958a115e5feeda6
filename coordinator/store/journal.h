// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_JOURNAL_H_
#define COORDINATOR_STORE_JOURNAL_H_

// The truth: append-only events of every job. Current state is a fold over them. What Append has
// returned OK for survives a power cut.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
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

// As the journal keeps it, for replaying it must give the very same state.
inline absl::Time JournalTime(absl::Time time) {
  return absl::FromUnixMicros(absl::ToUnixMicros(time));
}

// DATA_LOSS: the entry does not follow from those before it.
inline absl::Status DamagedEntry(const JournalEntry& entry, absl::string_view why) {
  return absl::DataLossError(absl::StrCat("event ", entry.sequence, " of job ", entry.job.value(),
                                          " in the journal does not apply: ", why,
                                          "; put back a copy of the whole data directory"));
}

// Thread-safe.
class Journal {
 public:
  virtual ~Journal() = default;

  // Durable when it returns OK. RESOURCE_EXHAUSTED: disk full. UNAVAILABLE: could not be written;
  // after a failed sync it may be in the journal all the same. So too if there is an event of that
  // `sequence`: another coordinator has written it.
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
