// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_PROMISES_H_
#define SIM_PROMISES_H_

// What a run must hold to, watched from outside of the programs: it sees what the journal says it
// has taken, what workers were told, and what is there after each restart, and folds the journal by
// itself. Machines crash; this does not.
//
//   journal   what Append took is replayed after every restart, the same bytes in the same order
//   updates   a receipt was given for an accepted update only; each (round, attempt, worker) has
//             one; a committed round counted every accepted one, once; an accepted one is in the
//             spool until its round has ended
//   models    an accepted update is what the worker's training gives, and a round's model what a
//             plain loop makes of the accepted updates
//   waits     nothing stands still for an hour of a coordinator that runs on a sound disk
//   the end   the job ends in time once the faults have stopped, if not before, and has completed
//             (federation.cc looks), whatever struck: its recipe has 100 attempts for each round

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coordinator/jobs/job_machine.h"
#include "coordinator/models/model_store.h"
#include "coordinator/store/journal.h"
#include "coordinator/updates/update_spool.h"
#include "entente/v1/transfer_service.pb.h"
#include "sim/toy_model.h"

namespace entente::sim {

class Promises {
 public:
  // `initial_model` is what the job starts from.
  explicit Promises(ToyModel initial_model);

  // The first thing that was not kept, in one sentence; empty: everything was.
  const std::string& violation() const { return violation_; }
  void Violate(std::string sentence);

  // The journal has taken an entry.
  void OnAppended(const store::JournalEntry& entry);
  // The journal has refused one that might be there after a restart all the same.
  void OnNotAppended(const store::JournalEntry& entry);
  // A coordinator that starts reads the journal: the beginning, each entry, the end.
  void OnReplayBegun() { replayed_ = 0; }
  void OnReplayed(const store::JournalEntry& entry);
  void OnReplayEnded();

  // A worker has the receipt of its update.
  void OnReceipt(const WorkerId& worker, const v1::UploadHeader& header);

  // A coordinator has started on these.
  void CheckStores(FileSystem& files, const models::ModelStore& models,
                   const updates::UpdateSpool& spool);

  // After every step, with the simulated time. `is_able`: a coordinator runs, and its disk is
  // sound.
  void CheckProgress(absl::Time now, bool is_able);
  // The time of faults is over; by `until` the job must have ended.
  void ExpectEndBy(absl::Time until) { end_by_ = until; }

  bool job_is_known() const { return job_.WasSubmitted(); }
  bool job_has_ended() const { return job_.WasSubmitted() && job_.HasEnded(); }
  const jobs::JobState& job() const { return job_; }
  uint64_t attempts_ended() const { return ended_rounds_.size(); }

 private:
  struct Entry {
    std::string text;  // Every byte of it.
    store::JournalEntry entry;
  };

  void Fold(const store::JournalEntry& entry);
  void CheckAccepted(const WorkerId& worker, const rounds::UpdateRecord& update);
  void CheckAggregated(const rounds::Aggregated& aggregated);

  std::string violation_;
  std::vector<Entry> journal_;  // What was taken.
  std::vector<Entry> perhaps_;  // What was not, since the last that was.
  size_t replayed_ = 0;
  std::string job_id_;
  v1::Recipe recipe_;
  jobs::JobState job_;
  std::map<std::pair<uint32_t, uint32_t>, rounds::RoundState> ended_rounds_;  // Round and attempt.
  std::map<Digest, ToyModel> models_;  // That the job may start a round from.
  absl::Time quiet_since_ = absl::InfiniteFuture();
  absl::Time end_by_ = absl::InfiniteFuture();
};

}  // namespace entente::sim

#endif  // SIM_PROMISES_H_
