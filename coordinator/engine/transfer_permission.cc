// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/transfer_permission.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "coordinator/rounds/round_machine.h"

namespace entente::engine {
namespace {

// Receipts get lost, and by then the round may be long closed: the history still knows the update.
bool WasAccepted(const JobEngine& job, const UploadClaim& claim) {
  for (const auto& round : job.Rounds()) {
    if (round->round_index != claim.key.round_index() || round->attempt != claim.key.attempt()) {
      continue;
    }
    const auto it = round->participants.find(claim.worker);
    return it != round->participants.end() &&
           it->second.state == rounds::ParticipantState::kAccepted &&
           it->second.update.digest == claim.update;
  }
  return false;
}

// ", which is committed (committed with fr-lab/w; ...)", for a round that was missed.
std::string HowItEnded(const JobEngine& job, const v1::TaskKey& key) {
  for (const auto& round : job.Rounds()) {
    if (round->round_index != key.round_index() || round->attempt != key.attempt()) continue;
    return absl::StrCat(", which is ", rounds::PhaseName(round->phase), " (", round->reason, ")");
  }
  return "";
}

}  // namespace

absl::StatusOr<UploadVerdict> CheckUpload(const JobEngine& job, const UploadClaim& claim) {
  if (WasAccepted(job, claim)) return UploadVerdict::kAlreadyAccepted;
  const JobView view = job.View();
  const rounds::RoundState& round = view.state->round;
  if (view.state->HasEnded()) {
    return absl::FailedPreconditionError(absl::StrCat("job ", job.description().id.value(), " has ",
                                                      jobs::JobStatusName(view.state->status), ": ",
                                                      view.state->reason));
  }
  if (claim.key.round_index() != round.round_index || claim.key.attempt() != round.attempt) {
    return absl::FailedPreconditionError(
        absl::StrCat("the update is for round ", claim.key.round_index() + 1, " attempt ",
                     claim.key.attempt(), HowItEnded(job, claim.key), ", but round ",
                     round.round_index + 1, " attempt ", round.attempt, " is in flight"));
  }
  ENTENTE_RETURN_IF_ERROR(rounds::CheckUpdateWelcome(round, claim.worker));
  if (claim.base_model != round.base_model) {
    return absl::FailedPreconditionError(
        absl::StrCat("the update starts from model ", claim.base_model.ToHex(), ", but round ",
                     round.round_index + 1, " starts from ", round.base_model.ToHex()));
  }
  return UploadVerdict::kWelcome;
}

absl::Status CheckDownload(const JobEngine& job, const WorkerId& worker, const Digest& file) {
  const JobView view = job.View();
  const rounds::RoundState& round = view.state->round;
  const bool is_needed = file == round.base_model || file == round.model ||
                         file.ToHex() == job.description().recipe.model().torchscript().digest();
  if (is_needed && round.participants.contains(worker)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(worker.value(), " has no task of job ",
                                                  job.description().id.value(), " that needs file ",
                                                  file.ToHex()));
}

}  // namespace entente::engine
