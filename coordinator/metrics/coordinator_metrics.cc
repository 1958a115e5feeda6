// SPDX-License-Identifier: Apache-2.0
#include "coordinator/metrics/coordinator_metrics.h"

#include <algorithm>
#include <utility>

#include "common/metrics/process_metrics.h"

namespace entente::metrics {
namespace {

using rounds::ParticipantState;
using rounds::RoundPhase;
using rounds::RoundState;

constexpr RoundPhase kOpenPhases[] = {RoundPhase::kPlanned, RoundPhase::kCollecting,
                                      RoundPhase::kGrace, RoundPhase::kAggregating,
                                      RoundPhase::kEvaluating};

std::string StateName(const jobs::JobState& state) {
  return state.paused && !state.HasEnded() ? "paused"
                                           : std::string(jobs::JobStatusName(state.status));
}

std::string StateName(const members::WorkerSnapshot& worker) {
  if (!worker.attached) return "detached";
  return worker.description.away.has_value() ? "away" : "attached";
}

}  // namespace

bool IsQuorumAtRisk(const RoundState& round, size_t available) {
  if (round.phase == RoundPhase::kPlanned) {
    return available < rounds::UpdatesRequired(round.policy, available);
  }
  if (round.phase != RoundPhase::kCollecting) return false;  // Later it is met.
  const uint32_t possible = round.CountIn(ParticipantState::kAccepted) +
                            round.CountIn(ParticipantState::kInvited) +
                            round.CountIn(ParticipantState::kWorking);
  return possible < round.updates_required;
}

CoordinatorMetrics::CoordinatorMetrics(Options options, const Parts& parts)
    : options_(std::move(options)),
      parts_(parts),
      registry_(CoordinatorMetricSpecs()),
      job_metrics_(parts.clock, &registry_),
      lag_(parts.executor, parts.clock),
      readiness_(absl::UnavailableError("the coordinator is starting")) {
  SetBuildInfo("entente-coordinator", options_.version, &registry_);
  // Counters are there from the start, so that their first step is seen as one.
  for (const char* outcome : {"committed", "aborted"}) registry_.Add(kRounds, {outcome}, 0);
  for (const members::MemberInfo& member : parts_.workers->members()) {
    registry_.Add(kUpdatesAccepted, {member.id.value()}, 0);
    for (const char* reason : {"value", "shape", "size", "examples", "format", "other"}) {
      registry_.Add(kUpdatesRefused, {member.id.value(), reason}, 0);
    }
    for (const char* outcome : {"declined", "failed", "missing", "skipped"}) {
      registry_.Add(kTasksLost, {member.id.value(), outcome}, 0);
    }
  }
}

void CoordinatorMetrics::OnUploadEnded(absl::Duration took, const absl::Status& status) {
  // The same codes that a worker takes for final are refusals; others are tried again.
  const bool was_refused = absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status) ||
                           absl::IsPermissionDenied(status) || absl::IsDataLoss(status) ||
                           absl::IsAlreadyExists(status) || absl::IsNotFound(status);
  registry_.Observe(kUploadDuration,
                    {status.ok()   ? "stored"
                     : was_refused ? "refused"
                                   : "cut"},
                    absl::ToDoubleSeconds(took));
}

void CoordinatorMetrics::Begin(const engine::JobDirectory* jobs) {
  for (const auto& job : jobs->All()) {
    job_metrics_.Begin(job->description().id, *job->View().state);
  }
  jobs_ = jobs;
}

void CoordinatorMetrics::SetReadiness(absl::Status readiness) {
  absl::MutexLock lock(&mu_);
  readiness_ = std::move(readiness);
}

absl::Status CoordinatorMetrics::readiness() const {
  {
    absl::MutexLock lock(&mu_);
    if (!readiness_.ok()) return readiness_;
  }
  return parts_.journal->Health();
}

std::string CoordinatorMetrics::Render() {
  absl::MutexLock lock(&render_mu_);
  registry_.Set(kReady, {}, readiness().ok() ? 1 : 0);
  CollectJobs();
  CollectWorkers();
  CollectStorage();
  CollectCertificates();
  registry_.Set(kExecutorLag, {}, absl::ToDoubleSeconds(lag_.Measure()));
  SetProcessMetrics(&registry_);
  return registry_.Render();
}

void CoordinatorMetrics::CollectJobs() {
  std::map<std::string, int> jobs = {
      {"running", 0}, {"paused", 0}, {"completed", 0}, {"failed", 0}, {"cancelled", 0}};
  std::map<RoundPhase, int> rounds;
  std::map<RoundPhase, absl::Duration> silence;
  int at_risk = 0;
  const absl::Time now = parts_.clock->Now();
  const engine::JobDirectory* const directory = jobs_;
  if (directory == nullptr) return;
  for (const auto& job : directory->All()) {
    const engine::JobView view = job->View();
    ++jobs[StateName(*view.state)];
    if (view.state->HasEnded()) continue;
    const RoundState& round = view.state->round;
    ++rounds[round.phase];
    if (view.state->paused) continue;
    const absl::Time changed_at = job_metrics_.LastChangeOf(view.description->id, view.progress);
    if (changed_at != absl::InfinitePast()) {
      absl::Duration& longest = silence[round.phase];
      longest = std::max(longest, now - changed_at);
    }
    const size_t available =
        parts_.workers->AvailableWith(view.description->recipe.dataset()).size();
    if (IsQuorumAtRisk(round, available)) ++at_risk;
  }
  for (const auto& [state, count] : jobs) registry_.Set(kJobs, {state}, count);
  for (const RoundPhase phase : kOpenPhases) {
    registry_.Set(kRoundsInFlight, {PhaseName(phase)}, rounds[phase]);
    registry_.Set(kRoundSilence, {PhaseName(phase)}, absl::ToDoubleSeconds(silence[phase]));
  }
  registry_.Set(kRoundsAtRisk, {}, at_risk);
}

void CoordinatorMetrics::CollectWorkers() {
  std::map<std::pair<std::string, std::string>, int> workers;
  std::map<std::string, std::pair<uint64_t, uint64_t>> bytes;
  std::map<std::string, absl::Time> expiry;
  for (const members::MemberInfo& member : parts_.workers->members()) {
    for (const char* state : {"attached", "away", "detached"}) {
      workers[{member.id.value(), state}] = 0;
    }
    bytes[member.id.value()] = {0, 0};
  }
  for (const members::WorkerSnapshot& worker : parts_.workers->Snapshot()) {
    const std::string member = MemberOf(worker.id).value();
    ++workers[{member, StateName(worker)}];
    bytes[member].first += worker.bytes_up;
    bytes[member].second += worker.bytes_down;
    if (!worker.attached) continue;
    const auto [it, is_first] =
        expiry.try_emplace(member, worker.description.certificate_expires_at);
    it->second = std::min(it->second, worker.description.certificate_expires_at);
  }
  for (const auto& [key, count] : workers) registry_.Set(kWorkers, {key.first, key.second}, count);
  for (const auto& [member, counts] : bytes) {
    registry_.RaiseTo(kTransferBytes, {member, "up"}, static_cast<double>(counts.first));
    registry_.RaiseTo(kTransferBytes, {member, "down"}, static_cast<double>(counts.second));
  }
  registry_.Clear(kCertificateExpiry);
  for (const auto& [member, at] : expiry) {
    registry_.Set(kCertificateExpiry, {"worker", member}, ToUnixSecondsAndFraction(at));
  }
}

void CoordinatorMetrics::CollectStorage() {
  if (const auto free_bytes = parts_.files->FreeBytes(options_.data_directory); free_bytes.ok()) {
    registry_.Set(kDiskFree, {}, static_cast<double>(*free_bytes));
  }
  registry_.Set(kDiskReserved, {}, static_cast<double>(options_.free_bytes_min));
  registry_.Set(kSpool, {}, static_cast<double>(parts_.space->present_bytes()));
  registry_.Set(kSpoolPromised, {}, static_cast<double>(parts_.space->promised_bytes()));
  registry_.Set(kSpoolQuota, {}, static_cast<double>(options_.spool_bytes_max));
}

void CoordinatorMetrics::CollectCertificates() {
  SetCertificateExpiry(options_.certificate, "own", "", &registry_);
  if (!options_.http_certificate.empty()) {
    SetCertificateExpiry(options_.http_certificate, "http", "", &registry_);
  }
  SetCertificateExpiry(options_.alliance_authority, "authority", "", &registry_);
  for (const auto& [member, path] : options_.authorities) {
    SetCertificateExpiry(path, "authority", member, &registry_);
  }
}

}  // namespace entente::metrics
