// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_JOURNAL_READER_H_
#define COORDINATOR_STORE_JOURNAL_READER_H_

// A look at parts of the journal while it is being written, for people. Nothing is decided by it.

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/strong_id.h"
#include "coordinator/store/journal.h"

namespace entente::store {

// An entry and where it stands among those of all jobs: a later one has a higher position.
struct PlacedEntry {
  uint64_t position = 0;
  JournalEntry entry;
};

// Thread-safe. Appends wait meanwhile, so ask for a page at a time.
class JournalReader {
 public:
  virtual ~JournalReader() = default;

  // Entries before `position` (0: the newest ones), newest first, at most `count_max`; of `job`
  // alone if it is not empty. DATA_LOSS if one cannot be read, UNAVAILABLE from the disk.
  virtual absl::StatusOr<std::vector<PlacedEntry>> ReadBack(const JobId& job, uint64_t position,
                                                            uint32_t count_max) const = 0;

  // The job's entries from `sequence` on, oldest first, at most `count_max`. Errors as ReadBack.
  virtual absl::StatusOr<std::vector<PlacedEntry>> ReadOn(const JobId& job, uint64_t sequence,
                                                          uint32_t count_max) const = 0;
};

}  // namespace entente::store

#endif  // COORDINATOR_STORE_JOURNAL_READER_H_
