// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/stored_files.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace entente::engine {
namespace {

// What a job needs of the model store, and in which words.
struct NeededFile {
  Digest digest;  // None: it needs no such file.
  absl::string_view what;
};

}  // namespace

absl::Status CheckModelFiles(const JobView& job, const models::ModelStore& models,
                             FileSystem& files) {
  const jobs::JobState& state = *job.state;
  if (state.HasEnded()) return absl::OkStatus();
  const v1::Model& model = job.description->recipe.model();
  Digest program;
  if (model.has_torchscript()) {
    ENTENTE_ASSIGN_OR_RETURN(program, Digest::FromHex(model.torchscript().digest()));
  }
  const NeededFile needed[] = {
      {program, "its program"},
      {state.model, "its newest model"},
      {state.optimizer_state, "its newest optimizer state"},
      {state.round.model, "the model of the round in flight"},
      {state.round.optimizer_state, "the optimizer state of the round in flight"}};
  std::set<Digest> sound;  // Mostly the round's model is the job's.
  for (const NeededFile& file : needed) {
    if (file.digest.IsNone() || !sound.insert(file.digest).second) continue;
    const std::string path = models.PathOf(file.digest);
    const std::string fault = FaultOfFile(files, path, file.digest);
    if (fault.empty()) continue;
    return absl::DataLossError(absl::StrCat(
        "job ", job.description->id.value(), " cannot go on: ", file.what, ", ", path, ", ", fault,
        "; put it back from a copy of the data directory, or, for its SHA-256 is its name, from "
        "whoever pulled it or a worker's cache"));
  }
  return absl::OkStatus();
}

std::map<WorkerId, std::string> LostUpdates(const JobId& job, const rounds::RoundState& round,
                                            const updates::UpdateSpool& spool, FileSystem& files,
                                            const std::atomic<bool>* is_stopping) {
  std::map<WorkerId, std::string> lost;
  if (!round.IsOpen() && round.phase != rounds::RoundPhase::kAggregating) return lost;
  for (const auto& [worker, participant] : round.participants) {
    if (is_stopping != nullptr && is_stopping->load()) break;
    if (participant.state != rounds::ParticipantState::kAccepted) continue;
    const Digest& digest = participant.update.digest;
    const std::string path = spool.PathOf({.job = job,
                                           .round_index = round.round_index,
                                           .attempt = round.attempt,
                                           .worker = worker,
                                           .digest = digest});
    const std::string fault = FaultOfFile(files, path, digest);
    if (!fault.empty()) lost[worker] = absl::StrCat(path, " ", fault);
  }
  return lost;
}

}  // namespace entente::engine
