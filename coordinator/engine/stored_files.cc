// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/stored_files.h"

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

std::vector<std::string> MissingUpdates(const JobView& job, const updates::UpdateSpool& spool,
                                        FileSystem& files) {
  std::vector<std::string> missing;
  const rounds::RoundState& round = job.state->round;
  const bool are_read = round.IsOpen() || round.phase == rounds::RoundPhase::kAggregating;
  if (job.state->HasEnded() || !are_read) return missing;
  for (const auto& [worker, participant] : round.participants) {
    if (participant.state != rounds::ParticipantState::kAccepted) continue;
    const std::string path = spool.PathOf({.job = job.description->id,
                                           .round_index = round.round_index,
                                           .attempt = round.attempt,
                                           .worker = worker,
                                           .digest = participant.update.digest});
    if (!files.Exists(path)) missing.push_back(path);
  }
  return missing;
}

}  // namespace entente::engine
