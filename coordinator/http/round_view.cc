// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/round_view.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/proto_to_json.h"
#include "coordinator/http/setbacks.h"
#include "coordinator/service/job_converter.h"

namespace entente::dashboard {
namespace {

constexpr uint32_t kRoundLinesMax = 4'000;
constexpr uint32_t kLinesAtOnce = 500;

// Enough to draw, and short to send a thousand times.
Json Rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::round(value * 1e6) / 1e6;
}

// A member's workers together, weighted by their held-out examples.
struct MemberFigures {
  double examples = 0;
  double loss = 0;
  double accuracy = 0;
  bool has_accuracy = false;
  double weight = 0;
};

std::map<MemberId, MemberFigures> FiguresOf(const rounds::RoundState& round) {
  std::map<MemberId, MemberFigures> figures;
  for (const auto& [worker, participant] : round.participants) {
    MemberFigures& member = figures[MemberOf(worker)];
    member.weight += participant.weight;
    if (!participant.evaluation.has_value()) continue;
    const rounds::Metrics& metrics = *participant.evaluation;
    const double examples = std::max(1.0, static_cast<double>(metrics.examples));
    const double share = examples / (member.examples + examples);
    member.loss += share * (metrics.loss - member.loss);
    if (metrics.accuracy.has_value()) {
      member.accuracy += share * (*metrics.accuracy - member.accuracy);
      member.has_accuracy = true;
    }
    member.examples += examples;
  }
  return figures;
}

void AddSpread(const std::map<MemberId, MemberFigures>& figures, Json* row) {
  const MemberFigures* best = nullptr;
  const MemberFigures* worst = nullptr;
  double loss_best = 0;
  double loss_worst = 0;
  // By accuracy where there is one; otherwise by loss.
  const auto merit = [](const MemberFigures& member) {
    return member.has_accuracy ? member.accuracy : -member.loss;
  };
  for (const auto& [id, member] : figures) {
    if (member.examples == 0) continue;
    loss_best = best == nullptr ? member.loss : std::min(loss_best, member.loss);
    loss_worst = best == nullptr ? member.loss : std::max(loss_worst, member.loss);
    if (best == nullptr || merit(member) > merit(*best)) {
      best = &member;
      (*row)["bestMember"] = id.value();
    }
    if (worst == nullptr || merit(member) < merit(*worst)) {
      worst = &member;
      (*row)["worstMember"] = id.value();
    }
  }
  if (best == nullptr) return;
  (*row)["lossBest"] = Rounded(loss_best);
  (*row)["lossWorst"] = Rounded(loss_worst);
  if (best->has_accuracy && worst->has_accuracy) {
    (*row)["accuracyBest"] = Rounded(best->accuracy);
    (*row)["accuracyWorst"] = Rounded(worst->accuracy);
  }
}

Json SecondsJson(const engine::RoundChronicle& chronicle) {
  Json seconds = Json::object();
  for (size_t i = 0; i + 1 < chronicle.phases.size(); ++i) {
    const std::string phase(rounds::PhaseName(chronicle.phases[i].phase));
    const double taken = absl::ToDoubleSeconds(chronicle.phases[i + 1].at - chronicle.phases[i].at);
    seconds[phase] = Rounded(taken + seconds.value(phase, 0.0));
  }
  return seconds;
}

bool IsCollecting(rounds::RoundPhase phase) {
  return phase == rounds::RoundPhase::kCollecting || phase == rounds::RoundPhase::kGrace;
}

// Why it took no more updates: the reason of the phase that came after.
std::string ClosedBy(const engine::RoundChronicle& chronicle) {
  bool was_open = false;
  for (const engine::PhaseStart& start : chronicle.phases) {
    if (was_open && !IsCollecting(start.phase)) return start.reason;
    was_open = IsCollecting(start.phase);
  }
  return "";
}

}  // namespace

Json RoundRowJson(const rounds::RoundState& round, const engine::RoundChronicle& chronicle,
                  const RowMembers& members) {
  using rounds::ParticipantState;
  Json row = {{"round", round.round_index + 1},
              {"attempt", round.attempt},
              {"phase", std::string(rounds::PhaseName(round.phase))},
              {"reason", round.reason}};
  if (round.opened_at != absl::InfinitePast()) row["openedAt"] = TimeText(round.opened_at);
  if (round.HasEnded()) row["endedAt"] = TimeText(round.ended_at);
  row["asked"] = round.participants.size();
  row["accepted"] = round.CountIn(ParticipantState::kAccepted);
  row["refused"] =
      round.CountIn(ParticipantState::kRefused) + round.CountIn(ParticipantState::kDeclined);
  row["missing"] =
      round.CountIn(ParticipantState::kMissing) + round.CountIn(ParticipantState::kFailed);
  row["required"] = round.updates_required;
  if (chronicle.evaluation.has_value()) {
    row["loss"] = Rounded(chronicle.evaluation->loss);
    if (chronicle.evaluation->accuracy.has_value()) {
      row["accuracy"] = Rounded(*chronicle.evaluation->accuracy);
    }
  }
  if (row["accepted"] > 0) row["trainingLoss"] = Rounded(chronicle.training_loss);
  uint64_t bytes_up = 0;
  for (const auto& [worker, participant] : round.participants) {
    bytes_up += participant.update.BytesUp();
  }
  row["bytesUp"] = bytes_up;
  row["seconds"] = SecondsJson(chronicle);
  if (!round.model.IsNone()) row["modelDigest"] = round.model.ToHex();

  const auto figures = FiguresOf(round);
  AddSpread(figures, &row);
  Json chosen = Json::object();
  const auto add = [&](const MemberId& id, const MemberFigures& member) {
    chosen[id.value()] = {member.examples > 0 ? Rounded(member.loss) : Json(nullptr),
                          member.has_accuracy ? Rounded(member.accuracy) : Json(nullptr),
                          Rounded(member.weight)};
  };
  if (members.all) {
    for (const auto& [id, member] : figures) add(id, member);
  } else {
    for (const std::string& id : members.ids) {
      const auto it = figures.find(MemberId(id));
      if (it != figures.end()) add(it->first, it->second);
    }
  }
  if (!chosen.empty()) row["members"] = std::move(chosen);
  return row;
}

Json HistoryJson(const engine::JobHistory& history, const std::vector<std::string>& members) {
  std::map<MemberId, bool> known;
  size_t last_evaluated = history.rounds.size();
  size_t last_committed = history.rounds.size();
  for (size_t i = 0; i < history.rounds.size(); ++i) {
    for (const auto& [worker, participant] : history.rounds[i]->participants) {
      known[MemberOf(worker)] = true;
    }
    if (history.chronicles[i]->evaluation.has_value()) last_evaluated = i;
    if (history.rounds[i]->phase == rounds::RoundPhase::kCommitted) last_committed = i;
  }
  const bool all = known.size() <= kMembersAtOnce;
  Json rows = Json::array();
  for (size_t i = 0; i < history.rounds.size(); ++i) {
    const bool is_whole = all || i == last_evaluated || i == last_committed;
    rows.push_back(RoundRowJson(*history.rounds[i], *history.chronicles[i],
                                {.all = is_whole, .ids = members}));
  }
  Json ids = Json::array();
  for (const auto& [id, is_known] : known) ids.push_back(id.value());
  return {{"rows", std::move(rows)}, {"memberIds", std::move(ids)}, {"allMembers", all}};
}

Json PhasesJson(const engine::RoundChronicle& chronicle) {
  Json phases = Json::array();
  for (const engine::PhaseStart& start : chronicle.phases) {
    phases.push_back({{"phase", std::string(rounds::PhaseName(start.phase))},
                      {"at", TimeText(start.at)},
                      {"reason", start.reason}});
  }
  return phases;
}

absl::StatusOr<Json> RoundLinesJson(const StatusSources& sources, const JobId& job,
                                    const engine::RoundChronicle& chronicle) {
  Json lines = Json::array();
  uint64_t sequence = chronicle.sequence_first;
  if (sequence == 0) return lines;  // The job has ended; its rounds have lines of their own.
  Setbacks setbacks(sources.jobs);
  while (lines.size() < kRoundLinesMax) {
    ENTENTE_ASSIGN_OR_RETURN(const auto entries,
                             sources.journal->ReadOn(job, sequence, kLinesAtOnce));
    for (const store::PlacedEntry& placed : entries) {
      sequence = placed.entry.sequence + 1;
      if (chronicle.sequence_last != 0 && placed.entry.sequence > chronicle.sequence_last) {
        return lines;
      }
      if (!setbacks.IsKnown(placed.entry)) return lines;  // The feed tells it in a moment.
      lines.push_back(LineJson(placed.entry, placed.position, setbacks.Of(placed.entry)));
    }
    if (entries.size() < kLinesAtOnce) break;
  }
  return lines;
}

absl::StatusOr<Json> RoundJson(const StatusSources& sources, const engine::JobEngine& job,
                               uint32_t round_index, uint32_t attempt) {
  const engine::JobHistory history = job.History();
  const engine::JobView view = job.View();
  std::shared_ptr<const rounds::RoundState> found;
  engine::RoundChronicle chronicle;
  uint32_t attempts = 0;
  const auto consider = [&](std::shared_ptr<const rounds::RoundState> round,
                            const engine::RoundChronicle& its_chronicle) {
    if (round->round_index != round_index) return;
    attempts = std::max(attempts, round->attempt);
    if (attempt != 0 && attempt != round->attempt) return;
    found = std::move(round);
    chronicle = its_chronicle;
  };
  for (size_t i = 0; i < history.rounds.size(); ++i) {
    consider(history.rounds[i], *history.chronicles[i]);
  }
  // One that ended between the two looks is in the history; the state has the next one by now.
  if (!view.state->HasEnded()) {
    consider({view.state, &view.state->round}, history.in_flight);
  }
  if (found == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("job ", job.description().id.value(), " has no round ", round_index + 1,
                     attempt == 0 ? " yet" : absl::StrCat(" attempt ", attempt)));
  }
  ENTENTE_ASSIGN_OR_RETURN(Json lines, RoundLinesJson(sources, job.description().id, chronicle));
  return Json{
      {"now", TimeText(sources.clock->Now())},
      {"jobName", job.description().recipe.name()},
      {"roundCount", view.state->plan.round_count},
      {"attempts", attempts},
      {"round", ProtoToJson(service::ToProto(view, *found, *sources.workers, sources.clock->Now(),
                                             service::Detail::kFull))},
      {"phases", PhasesJson(chronicle)},
      {"closedBy", ClosedBy(chronicle)},
      {"row", RoundRowJson(*found, chronicle, {.all = true})},
      {"lines", std::move(lines)}};
}

}  // namespace entente::dashboard
