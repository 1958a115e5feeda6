// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/stored_files.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace entente::engine {
namespace {

absl::Status CheckStored(const JobView& job, const models::ModelStore& models, const Digest& digest,
                         absl::string_view what) {
  if (digest.IsNone() || models.Contains(digest)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "job ", job.description->id.value(), " cannot go on: ", what, ", ", models.PathOf(digest),
      ", is missing; put it back from a copy of the data directory, or, for its SHA-256 is its "
      "name, from whoever pulled it or a worker's cache"));
}

// What is wrong with an accepted update's file; nothing if it is there, and whole if that is asked.
std::string FaultOf(const std::string& path, const Digest& accepted, UpdateCheck check,
                    FileSystem& files) {
  if (!files.Exists(path)) return absl::StrCat(path, " is missing");
  if (check == UpdateCheck::kPresence) return "";
  const absl::StatusOr<Digest> found = Sha256OfFile(files, path);
  if (!found.ok()) return std::string(found.status().message());
  if (*found == accepted) return "";
  return absl::StrCat(path, " is damaged: its SHA-256 is ", found->ToHex());
}

}  // namespace

absl::Status CheckModelFiles(const JobView& job, const models::ModelStore& models) {
  const jobs::JobState& state = *job.state;
  if (state.HasEnded()) return absl::OkStatus();
  const v1::Model& model = job.description->recipe.model();
  if (model.has_torchscript()) {
    ENTENTE_ASSIGN_OR_RETURN(const Digest program, Digest::FromHex(model.torchscript().digest()));
    ENTENTE_RETURN_IF_ERROR(CheckStored(job, models, program, "its program"));
  }
  ENTENTE_RETURN_IF_ERROR(CheckStored(job, models, state.model, "its newest model"));
  ENTENTE_RETURN_IF_ERROR(
      CheckStored(job, models, state.optimizer_state, "its newest optimizer state"));
  ENTENTE_RETURN_IF_ERROR(
      CheckStored(job, models, state.round.model, "the model of the round in flight"));
  return CheckStored(job, models, state.round.optimizer_state,
                     "the optimizer state of the round in flight");
}

std::map<WorkerId, std::string> LostUpdates(const JobId& job, const rounds::RoundState& round,
                                            UpdateCheck check, const updates::UpdateSpool& spool,
                                            FileSystem& files) {
  std::map<WorkerId, std::string> lost;
  if (!round.IsOpen() && round.phase != rounds::RoundPhase::kAggregating) return lost;
  for (const auto& [worker, participant] : round.participants) {
    if (participant.state != rounds::ParticipantState::kAccepted) continue;
    const Digest& digest = participant.update.digest;
    const std::string path = spool.PathOf({.job = job,
                                           .round_index = round.round_index,
                                           .attempt = round.attempt,
                                           .worker = worker,
                                           .digest = digest});
    std::string fault = FaultOf(path, digest, check, files);
    if (!fault.empty()) lost[worker] = std::move(fault);
  }
  return lost;
}

}  // namespace entente::engine
