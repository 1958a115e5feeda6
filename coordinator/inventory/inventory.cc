// SPDX-License-Identifier: Apache-2.0
#include "coordinator/inventory/inventory.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "coordinator/inventory/data_directory.h"
#include "coordinator/jobs/job_machine.h"
#include "coordinator/models/model_store.h"
#include "coordinator/store/record_converter.h"
#include "coordinator/updates/update_spool.h"

namespace entente::inventory {
namespace {

using rounds::ParticipantState;
using rounds::RoundPhase;
using rounds::RoundState;

// Collects files, each path once.
class FileList {
 public:
  void AddStored(const Digest& digest, std::string what, bool is_needed) {
    if (digest.IsNone()) return;
    Add({.path = absl::StrCat(kModelsFolder, "/", models::ModelStore::NameOf(digest)),
         .what = std::move(what),
         .digest = digest,
         .is_needed = is_needed});
  }
  void Add(NamedFile file) {
    if (paths_.insert(file.path).second) files_.push_back(std::move(file));
  }
  std::vector<NamedFile> Take() { return std::move(files_); }

 private:
  std::vector<NamedFile> files_;
  std::set<std::string> paths_;
};

void AddUpdates(const JobId& job, const RoundState& round, FileList* files) {
  const bool are_read = round.IsOpen() || round.phase == RoundPhase::kAggregating;
  if (!are_read) return;
  for (const auto& [worker, participant] : round.participants) {
    if (participant.state != ParticipantState::kAccepted) continue;
    const updates::SpoolKey key{.job = job,
                                .round_index = round.round_index,
                                .attempt = round.attempt,
                                .worker = worker,
                                .digest = participant.update.digest};
    files->Add({.path = absl::StrCat(kSpoolFolder, "/", updates::UpdateSpool::NameOf(key)),
                .what = absl::StrCat("the update of ", worker.value(), " in round ",
                                     round.round_index + 1),
                .digest = key.digest,
                .is_needed = true});
  }
}

}  // namespace

std::vector<NamedFile> InventoriedJob::Files() const {
  FileList files;
  const bool runs = !state.HasEnded();
  if (recipe.model().has_torchscript()) {
    const auto program = Digest::FromHex(recipe.model().torchscript().digest());
    if (program.ok()) files.AddStored(*program, "the program", runs);
  }
  const std::string newest = state.rounds_committed == 0
                                 ? "the initial model"
                                 : absl::StrCat("the model after round ", state.rounds_committed);
  files.AddStored(state.model, newest, runs);
  files.AddStored(state.optimizer_state,
                  absl::StrCat("the optimizer state after round ", state.rounds_committed), runs);
  if (runs) {
    const uint32_t number = state.round.round_index + 1;
    files.AddStored(state.round.model, absl::StrCat("the model of round ", number), true);
    files.AddStored(state.round.optimizer_state,
                    absl::StrCat("the optimizer state of round ", number), true);
    AddUpdates(id, state.round, &files);
  }
  files.AddStored(state.initial_model, "the initial model", false);
  for (const auto& [round_index, of_round] : committed) {
    files.AddStored(of_round.model, absl::StrCat("the model after round ", round_index + 1), false);
    files.AddStored(of_round.optimizer_state,
                    absl::StrCat("the optimizer state after round ", round_index + 1), false);
  }
  return files.Take();
}

absl::Status Inventory::Add(const store::JournalEntry& entry) {
  const auto [it, is_new] = index_of_.try_emplace(entry.job, jobs_.size());
  if (is_new) jobs_.push_back({.id = entry.job, .recipe = {}, .state = {}, .committed = {}});
  InventoriedJob& job = jobs_[it->second];
  if (entry.sequence != job.event_count + 1) {
    return store::DamagedEntry(entry, absl::StrCat("it comes after event ", job.event_count));
  }
  const auto event = store::FromRecord(entry.record);
  if (!event.ok()) return store::DamagedEntry(entry, event.status().message());
  auto transition = jobs::Step(job.state, *event, entry.at);
  if (!transition.ok()) return store::DamagedEntry(entry, transition.status().message());
  if (entry.record.has_submitted()) job.recipe = entry.record.submitted().recipe();
  if (const auto& ended = transition->ended_round;
      ended.has_value() && ended->phase == RoundPhase::kCommitted) {
    job.committed[ended->round_index] = {.model = ended->model,
                                         .optimizer_state = ended->optimizer_state};
  }
  job.state = std::move(transition->next);
  ++job.event_count;
  ++event_count_;
  return absl::OkStatus();
}

absl::StatusOr<Inventory> TakeInventory(const store::Journal& journal) {
  Inventory inventory;
  ENTENTE_RETURN_IF_ERROR(journal.Replay(
      [&inventory](const store::JournalEntry& entry) { return inventory.Add(entry); }));
  return inventory;
}

}  // namespace entente::inventory
