// SPDX-License-Identifier: Apache-2.0
#include "sim/promises.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/random_source.h"
#include "coordinator/store/record_converter.h"
#include "sim/entry_text.h"

namespace entente::sim {
namespace {

constexpr absl::Duration kStandstillMax = absl::Hours(1);

std::string RoundName(const rounds::RoundState& round) {
  return absl::StrCat("round ", round.round_index + 1, " attempt ", round.attempt);
}

}  // namespace

Promises::Promises(ToyModel initial_model) {
  const Digest digest = initial_model.FileDigest();
  models_.emplace(digest, std::move(initial_model));
}

void Promises::Violate(std::string sentence) {
  if (violation_.empty()) violation_ = std::move(sentence);
}

void Promises::OnAppended(const store::JournalEntry& entry) {
  perhaps_.clear();
  journal_.push_back({.text = EntryText(entry), .entry = entry});
  Fold(entry);
}

void Promises::OnNotAppended(const store::JournalEntry& entry) {
  perhaps_.push_back({.text = EntryText(entry), .entry = entry});
}

void Promises::OnReplayed(const store::JournalEntry& entry) {
  const std::string text = EntryText(entry);
  if (replayed_ < journal_.size()) {
    if (text != journal_[replayed_].text) {
      Violate(absl::StrCat("entry ", replayed_ + 1,
                           " of the journal is another after a restart than was acknowledged"));
    }
  } else if (std::any_of(perhaps_.begin(), perhaps_.end(),
                         [&text](const Entry& perhaps) { return perhaps.text == text; })) {
    // Its fate was open; now it is known.
    OnAppended(store::JournalEntry(entry));
  } else {
    Violate(absl::StrCat("after a restart the journal has an entry ", replayed_ + 1,
                         " that nobody wrote"));
  }
  ++replayed_;
}

void Promises::OnReplayEnded() {
  if (replayed_ < journal_.size()) {
    Violate(absl::StrCat("after a restart the journal has ", replayed_, " entries, but ",
                         journal_.size(), " were acknowledged"));
  }
  perhaps_.clear();
}

void Promises::Fold(const store::JournalEntry& entry) {
  if (entry.record.has_submitted()) {
    if (!job_id_.empty()) Violate("one token made two jobs");
    job_id_ = entry.job.value();
    recipe_ = entry.record.submitted().recipe();
  }
  const auto event = store::FromRecord(entry.record);
  if (!event.ok())
    return Violate(absl::StrCat("a journal entry cannot be read: ", event.status().message()));
  if (const auto* happened = std::get_if<jobs::RoundHappened>(&*event)) {
    if (const auto* accepted = std::get_if<rounds::UpdateAccepted>(&happened->event)) {
      CheckAccepted(accepted->worker, accepted->update);
    } else if (const auto* aggregated = std::get_if<rounds::Aggregated>(&happened->event)) {
      CheckAggregated(*aggregated);
    }
  }
  auto transition = jobs::Step(job_, *event, entry.at);
  if (!transition.ok()) {
    return Violate(absl::StrCat("the journal took an event that does not apply: ",
                                transition.status().message()));
  }
  const bool has_moved =
      transition->ended_round.has_value() || transition->next.round.phase != job_.round.phase;
  if (has_moved) quiet_since_ = absl::InfiniteFuture();
  job_ = std::move(transition->next);
  if (transition->ended_round.has_value()) {
    const rounds::RoundState& round = *transition->ended_round;
    ended_rounds_[{round.round_index, round.attempt}] = round;
  }
}

void Promises::CheckAccepted(const WorkerId& worker, const rounds::UpdateRecord& update) {
  const rounds::RoundState& round = job_.round;
  const auto base = models_.find(round.base_model);
  if (base == models_.end()) return Violate(absl::StrCat(RoundName(round), " has no base model"));
  const auto participant = round.participants.find(worker);
  if (participant != round.participants.end() &&
      participant->second.state == rounds::ParticipantState::kAccepted) {
    Violate(absl::StrCat(worker.value(), " has two updates in ", RoundName(round)));
  }
  const uint64_t seed = DeriveSeed(
      recipe_.training().seed(), absl::StrCat("round ", round.round_index, " of ", worker.value()));
  if (update.digest != base->second.Train(seed).FileDigest() ||
      update.examples != ToyModel::Examples(seed)) {
    Violate(absl::StrCat("an update of ", worker.value(), " was accepted in ", RoundName(round),
                         " that its training did not make"));
  }
}

void Promises::CheckAggregated(const rounds::Aggregated& aggregated) {
  const rounds::RoundState& round = job_.round;
  const auto base = models_.find(round.base_model);
  if (base == models_.end()) return Violate(absl::StrCat(RoundName(round), " has no base model"));
  std::map<WorkerId, ToyModel> updates;
  std::map<WorkerId, double> weights;
  double examples = 0;
  for (const auto& [worker, participant] : round.participants) {
    if (participant.state != rounds::ParticipantState::kAccepted) continue;
    examples += static_cast<double>(participant.update.examples);
  }
  for (const auto& [worker, participant] : round.participants) {
    if (participant.state != rounds::ParticipantState::kAccepted) continue;
    const uint64_t seed =
        DeriveSeed(recipe_.training().seed(),
                   absl::StrCat("round ", round.round_index, " of ", worker.value()));
    updates.emplace(worker, base->second.Train(seed));
    weights[worker] = static_cast<double>(participant.update.examples) / examples;
  }
  if (aggregated.weights != weights) {
    Violate(absl::StrCat(RoundName(round),
                         " did not count every accepted update once, by its examples"));
    return;
  }
  ToyModel next = base->second.After(updates, weights);
  if (next.FileDigest() != aggregated.model) {
    Violate(
        absl::StrCat("the model of ", RoundName(round), " is not what its accepted updates give"));
    return;
  }
  models_.emplace(aggregated.model, std::move(next));
}

void Promises::OnReceipt(const WorkerId& worker, const v1::UploadHeader& header) {
  const v1::TaskKey& key = header.update().key();
  const rounds::RoundState* round = nullptr;
  if (key.round_index() == job_.round.round_index && key.attempt() == job_.round.attempt) {
    round = &job_.round;
  } else if (const auto it = ended_rounds_.find({key.round_index(), key.attempt()});
             it != ended_rounds_.end()) {
    round = &it->second;
  }
  if (round != nullptr) {
    const auto it = round->participants.find(worker);
    if (it != round->participants.end() &&
        it->second.state == rounds::ParticipantState::kAccepted &&
        it->second.update.digest.ToHex() == header.digest()) {
      return;
    }
  }
  Violate(absl::StrCat(worker.value(), " has a receipt for an update of round ",
                       key.round_index() + 1, " that the journal does not have"));
}

void Promises::CheckStores(FileSystem& files, const models::ModelStore& models,
                           const updates::UpdateSpool& spool) {
  if (!job_.WasSubmitted() || job_.HasEnded()) return;
  const auto check = [&](const std::string& path, const Digest& expected, absl::string_view what) {
    const auto digest = Sha256OfFile(files, path);
    if (absl::IsUnavailable(digest.status())) return;  // The disk fails, or the process has died.
    if (!digest.ok() || *digest != expected) {
      Violate(absl::StrCat("after a restart ", what, " is not whole on the disk"));
    }
  };
  check(models.PathOf(job_.model), job_.model, "the newest committed model");
  const rounds::RoundState& round = job_.round;
  if (!round.model.IsNone()) {
    check(models.PathOf(round.model), round.model, "the model that the members evaluate");
  }
  for (const auto& [worker, participant] : round.participants) {
    if (participant.state != rounds::ParticipantState::kAccepted) continue;
    const Digest& digest = participant.update.digest;
    check(spool.PathOf({.job = JobId(job_id_),
                        .round_index = round.round_index,
                        .attempt = round.attempt,
                        .worker = worker,
                        .digest = digest}),
          digest, absl::StrCat("the accepted update of ", worker.value()));
  }
}

void Promises::CheckProgress(absl::Time now, bool is_able) {
  if (job_has_ended()) return;
  if (now > end_by_) {
    return Violate(
        absl::StrCat("long after the last fault the job has not ended: ", RoundName(job_.round),
                     " is ", rounds::PhaseName(job_.round.phase), " (", job_.round.reason, ")"));
  }
  if (!is_able || !job_.WasSubmitted()) {
    quiet_since_ = absl::InfiniteFuture();
  } else if (quiet_since_ == absl::InfiniteFuture()) {
    quiet_since_ = now;
  } else if (now - quiet_since_ > kStandstillMax) {
    Violate(absl::StrCat(RoundName(job_.round), " has been ", rounds::PhaseName(job_.round.phase),
                         " for over an hour and nothing closes it"));
  }
}

}  // namespace entente::sim
