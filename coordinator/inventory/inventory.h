// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_INVENTORY_INVENTORY_H_
#define COORDINATOR_INVENTORY_INVENTORY_H_

// What a journal says that a data directory holds: its jobs, and every file that they name.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/strong_id.h"
#include "common/crypto/sha256.h"
#include "coordinator/jobs/job_state.h"
#include "coordinator/store/journal.h"
#include "entente/v1/recipe.pb.h"

namespace entente::inventory {

// A file that a job's events name.
struct NamedFile {
  std::string path;  // In the data directory, e.g. "models/<digest>".
  std::string what;  // E.g. "the model after round 3".
  Digest digest;
  // The job goes on with it, and cannot without, but for an update, which its worker is asked for
  // again; what is kept of its past is merely there to be read.
  bool is_needed = false;
};

// A job as its events tell it.
struct InventoriedJob {
  JobId id;
  v1::Recipe recipe;
  jobs::JobState state;
  uint64_t event_count = 0;

  // Its program, every committed model and optimizer state, and what the round in flight has; each
  // path once, needed ones first.
  std::vector<NamedFile> Files() const;

  // Of committed rounds, by round index.
  struct Committed {
    Digest model;
    Digest optimizer_state;  // None for an optimizer without state.
  };
  std::map<uint32_t, Committed> committed;
};

// Folds entries as JobEngine does, without running anything. Not thread-safe.
class Inventory {
 public:
  // DATA_LOSS, naming job and event, if the entry does not follow from the ones before.
  absl::Status Add(const store::JournalEntry& entry);

  // In the order of their first events.
  const std::vector<InventoriedJob>& jobs() const { return jobs_; }
  uint64_t event_count() const { return event_count_; }

 private:
  std::vector<InventoriedJob> jobs_;
  std::map<JobId, size_t> index_of_;
  uint64_t event_count_ = 0;
};

// Every event of a journal. DATA_LOSS as Add's, or the journal's own errors.
absl::StatusOr<Inventory> TakeInventory(const store::Journal& journal);

}  // namespace entente::inventory

#endif  // COORDINATOR_INVENTORY_INVENTORY_H_
