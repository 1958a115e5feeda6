// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/job_converter.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/away_text.h"
#include "common/config/proto_time.h"
#include "coordinator/rounds/round_report.h"

namespace entente::service {
namespace {

v1::JobState StateOf(const jobs::JobState& state) {
  switch (state.status) {
    case jobs::JobStatus::kRunning:
      return state.paused ? v1::JOB_STATE_PAUSED : v1::JOB_STATE_RUNNING;
    case jobs::JobStatus::kCompleted:
      return v1::JOB_STATE_COMPLETED;
    case jobs::JobStatus::kFailed:
      return v1::JOB_STATE_FAILED;
    case jobs::JobStatus::kCancelled:
      return v1::JOB_STATE_CANCELLED;
  }
  return v1::JOB_STATE_UNSPECIFIED;
}

v1::RoundPhase ToProto(rounds::RoundPhase phase) {
  switch (phase) {
    case rounds::RoundPhase::kPlanned:
      return v1::ROUND_PHASE_PLANNED;
    case rounds::RoundPhase::kCollecting:
      return v1::ROUND_PHASE_COLLECTING;
    case rounds::RoundPhase::kGrace:
      return v1::ROUND_PHASE_GRACE;
    case rounds::RoundPhase::kAggregating:
      return v1::ROUND_PHASE_AGGREGATING;
    case rounds::RoundPhase::kEvaluating:
      return v1::ROUND_PHASE_EVALUATING;
    case rounds::RoundPhase::kCommitted:
      return v1::ROUND_PHASE_COMMITTED;
    case rounds::RoundPhase::kAborted:
      return v1::ROUND_PHASE_ABORTED;
  }
  return v1::ROUND_PHASE_UNSPECIFIED;
}

v1::ParticipantState ToProto(rounds::ParticipantState state) {
  switch (state) {
    case rounds::ParticipantState::kInvited:
      return v1::PARTICIPANT_STATE_INVITED;
    case rounds::ParticipantState::kWorking:
      return v1::PARTICIPANT_STATE_WORKING;
    case rounds::ParticipantState::kDeclined:
      return v1::PARTICIPANT_STATE_DECLINED;
    case rounds::ParticipantState::kAccepted:
      return v1::PARTICIPANT_STATE_ACCEPTED;
    case rounds::ParticipantState::kRefused:
      return v1::PARTICIPANT_STATE_REFUSED;
    case rounds::ParticipantState::kMissing:
      return v1::PARTICIPANT_STATE_MISSING;
    case rounds::ParticipantState::kFailed:
      return v1::PARTICIPANT_STATE_FAILED;
    case rounds::ParticipantState::kSkipped:
      return v1::PARTICIPANT_STATE_SKIPPED;
    case rounds::ParticipantState::kUnfinished:
      return v1::PARTICIPANT_STATE_UNFINISHED;
  }
  return v1::PARTICIPANT_STATE_UNSPECIFIED;
}

std::string HexOrEmpty(const Digest& digest) { return digest.IsNone() ? "" : digest.ToHex(); }

v1::Participant ToProto(const WorkerId& worker, const rounds::Participant& participant,
                        const engine::WorkerProgress* progress,
                        const members::WorkerRegistry& workers) {
  v1::Participant proto;
  proto.set_worker(worker.value());
  proto.set_member(MemberOf(worker).value());
  const members::MemberInfo* const member = workers.FindMember(MemberOf(worker));
  if (member != nullptr) proto.set_jurisdiction(member->jurisdiction);
  proto.set_state(ToProto(participant.state));
  proto.set_reason(participant.reason);
  if (progress != nullptr) {
    proto.set_activity(progress->activity);
    proto.set_step(progress->step);
    proto.set_step_count(progress->step_count);
    proto.set_training_loss(progress->loss);
  }
  if (participant.state == rounds::ParticipantState::kAccepted) {
    proto.set_examples(participant.update.examples);
    proto.set_update_digest(participant.update.digest.ToHex());
    proto.set_update_bytes(participant.update.bytes);
    proto.set_training_loss(participant.update.training_loss);
    if (participant.update.norm.has_value()) proto.set_update_norm(*participant.update.norm);
  } else if (participant.state == rounds::ParticipantState::kRefused) {
    proto.set_update_digest(HexOrEmpty(participant.refused.digest));
    proto.set_update_bytes(participant.refused.bytes);
  }
  proto.set_weight(participant.weight);
  if (participant.evaluation.has_value()) {
    *proto.mutable_evaluation() = service::ToProto(*participant.evaluation);
  }
  return proto;
}

// Whether its update or its evaluation is awaited, and its lease runs.
bool IsAtWork(const rounds::RoundState& round, const rounds::Participant& participant) {
  return (round.IsOpen() && participant.IsAskedOrWorking()) || participant.evaluation_awaited;
}

// Of one that should be at work and is not attached: what it did last is not what it does.
//
//   was training; not attached since 14:05:10 UTC, counts as missing at 14:05:40 UTC if it does not
//   come back
void NoteDetached(absl::Time since, std::optional<absl::Time> awaited_until, bool evaluates,
                  absl::Time now, v1::Participant* proto) {
  std::vector<std::string> notes;
  if (!proto->reason().empty()) notes.push_back(proto->reason());
  if (!proto->activity().empty()) notes.push_back(absl::StrCat("was ", proto->activity()));
  std::string absence = absl::StrCat("not attached since ", rounds::ClockText(since, now));
  if (awaited_until.has_value() && evaluates) {
    absl::StrAppend(&absence, ", its evaluation is awaited until ",
                    rounds::ClockText(*awaited_until, now));
  } else if (awaited_until.has_value()) {
    absl::StrAppend(&absence, ", counts as missing at ", rounds::ClockText(*awaited_until, now),
                    " if it does not come back");
  }
  notes.push_back(std::move(absence));
  proto->set_reason(absl::StrJoin(notes, "; "));
  *proto->mutable_detached_at() = entente::ToProto(since);
  proto->clear_activity();
  proto->clear_step();
  proto->clear_step_count();
}

// The rounds so far say how long the rest will take. Not moved on while a round takes longer: who
// reads it can tell so that it does.
void SetExpectedEnd(const jobs::JobState& state, v1::Job* proto) {
  if (state.HasEnded() || state.paused || state.rounds_committed == 0) return;
  const absl::Time round_began = state.round.planned_at;
  const absl::Duration each = (round_began - state.submitted_at) / state.rounds_committed;
  const absl::Duration rest = each * (state.plan.round_count - state.rounds_committed);
  *proto->mutable_expected_end_at() = entente::ToProto(round_began + rest);
}

rounds::WaitCircumstances CircumstancesOf(const engine::JobView& view,
                                          const rounds::RoundState& round,
                                          const members::WorkerRegistry& workers) {
  rounds::WaitCircumstances circumstances;
  for (const auto& [worker, participant] : round.participants) {
    const std::optional<absl::Time> detached = workers.DetachedSince(worker);
    if (detached.has_value()) circumstances.detached[worker] = *detached;
  }
  for (const auto& [worker, progress] : view.progress) {
    circumstances.activities[worker] = {
        .name = progress.activity, .step = progress.step, .step_count = progress.step_count};
  }
  const std::string& dataset = view.description->recipe.dataset();
  circumstances.job_is_paused = view.state->paused;
  circumstances.workers_available = static_cast<uint32_t>(workers.AvailableWith(dataset).size());
  for (const auto& [worker, away] : workers.AwayWith(dataset)) {
    circumstances.away[worker] = AwayText(away);
  }
  circumstances.combining = view.combining;
  circumstances.rests_until = view.rests_until;
  circumstances.journal_failure = std::string(view.journal_health.message());
  return circumstances;
}

}  // namespace

v1::Metrics ToProto(const rounds::Metrics& metrics) {
  v1::Metrics proto;
  proto.set_examples(metrics.examples);
  proto.set_loss(metrics.loss);
  if (metrics.accuracy.has_value()) proto.set_accuracy(*metrics.accuracy);
  return proto;
}

v1::Round ToProto(const engine::JobView& view, const rounds::RoundState& round,
                  const members::WorkerRegistry& workers, absl::Time now, Detail detail) {
  v1::Round proto;
  proto.set_job_id(view.description->id.value());
  proto.set_round_index(round.round_index);
  proto.set_attempt(round.attempt);
  proto.set_phase(ToProto(round.phase));
  proto.set_reason(round.reason);
  if (!round.HasEnded()) {
    proto.set_waiting_for(rounds::WaitingFor(round, CircumstancesOf(view, round, workers), now));
  }
  if (round.phase != rounds::RoundPhase::kPlanned && round.opened_at != absl::InfinitePast()) {
    *proto.mutable_opened_at() = entente::ToProto(round.opened_at);
  }
  if (round.closes_at != absl::InfiniteFuture()) {
    *proto.mutable_closes_at() = entente::ToProto(round.closes_at);
  }
  if (round.HasEnded()) *proto.mutable_ended_at() = entente::ToProto(round.ended_at);
  proto.set_updates_required(round.updates_required);
  proto.set_updates_accepted(round.CountIn(rounds::ParticipantState::kAccepted));
  uint64_t bytes_up = 0;
  for (const auto& [worker, participant] : round.participants) {
    bytes_up += participant.update.BytesUp();
    if (detail == Detail::kBrief) continue;
    const auto it = view.progress.find(worker);
    const bool has_progress = !round.HasEnded() && it != view.progress.end();
    v1::Participant* const added = proto.add_participants();
    *added = ToProto(worker, participant, has_progress ? &it->second : nullptr, workers);
    const std::optional<absl::Time> detached =
        IsAtWork(round, participant) ? workers.DetachedSince(worker) : std::nullopt;
    if (!detached.has_value()) continue;
    // Until its lease is over, or the phase if that is sooner.
    std::optional<absl::Time> awaited_until;
    if (const auto lease = view.lease_ends.find(worker); lease != view.lease_ends.end()) {
      awaited_until = std::min(lease->second, round.closes_at);
    }
    NoteDetached(*detached, awaited_until, participant.evaluation_awaited, now, added);
  }
  proto.set_base_model_digest(round.base_model.ToHex());
  proto.set_model_digest(HexOrEmpty(round.model));
  if (const auto evaluation = rounds::CombinedEvaluation(round); evaluation.has_value()) {
    *proto.mutable_evaluation() = ToProto(*evaluation);
  }
  proto.set_training_loss(rounds::CombinedTrainingLoss(round));
  proto.set_bytes_up(bytes_up);
  return proto;
}

v1::Job ToProto(const engine::JobView& view, const members::WorkerRegistry& workers, absl::Time now,
                Detail detail) {
  const jobs::JobState& state = *view.state;
  v1::Job proto;
  proto.set_id(view.description->id.value());
  proto.set_name(view.description->recipe.name());
  proto.set_submitter(view.description->submitter);
  proto.set_state(StateOf(state));
  proto.set_reason(state.paused ? state.pause_reason : state.reason);
  proto.set_round_count(state.plan.round_count);
  proto.set_rounds_committed(state.rounds_committed);
  *proto.mutable_round() = ToProto(view, state.round, workers, now, detail);
  proto.set_model_digest(state.model.ToHex());
  if (view.evaluation.has_value()) *proto.mutable_evaluation() = ToProto(*view.evaluation);
  proto.set_bytes_up(view.bytes_up);
  proto.set_bytes_down(view.bytes_down);
  *proto.mutable_submitted_at() = entente::ToProto(state.submitted_at);
  if (state.HasEnded()) *proto.mutable_ended_at() = entente::ToProto(state.ended_at);
  SetExpectedEnd(state, &proto);
  proto.set_recipe_digest(view.description->recipe_digest.ToHex());
  proto.set_trace_id(view.description->trace.trace_id());
  if (detail == Detail::kFull) *proto.mutable_recipe() = view.description->recipe;
  return proto;
}

}  // namespace entente::service
