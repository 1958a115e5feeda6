// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/record_converter.h"

#include <utility>

#include "absl/time/time.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/base/utf8.h"
#include "coordinator/jobs/job_plan.h"

namespace entente::store {
namespace {

namespace rec = storage::v1;

std::string Bytes(const Digest& digest) { return digest.IsNone() ? "" : digest.Raw(); }

absl::StatusOr<Digest> ToDigest(const std::string& bytes) {
  if (bytes.empty()) return Digest();
  const auto digest = Digest::FromRaw(bytes);
  if (!digest.ok()) return absl::DataLossError("the journal holds a digest that is not 32 bytes");
  return *digest;
}

rec::WorkerReason WithReason(const WorkerId& worker, const std::string& reason) {
  rec::WorkerReason record;
  record.set_worker(worker.value());
  record.set_reason(ToValidUtf8(reason));
  return record;
}

// Writes one round event into `to`.
struct RoundRecorder {
  rec::RoundHappened* to;

  void operator()(const rounds::Opened& e) const {
    rec::Opened* const record = to->mutable_opened();
    for (const WorkerId& worker : e.cohort) record->add_cohort(worker.value());
  }
  void operator()(const rounds::TaskAccepted& e) const {
    to->mutable_task_accepted()->set_worker(e.worker.value());
  }
  void operator()(const rounds::TaskDeclined& e) const {
    *to->mutable_task_declined() = WithReason(e.worker, e.reason);
  }
  void operator()(const rounds::UpdateAccepted& e) const {
    rec::UpdateAccepted* const record = to->mutable_update_accepted();
    record->set_worker(e.worker.value());
    record->set_digest(Bytes(e.update.digest));
    record->set_update_bytes(e.update.bytes);
    record->set_examples(e.update.examples);
    record->set_training_loss(e.update.training_loss);
    record->set_sent_bytes(e.update.sent_bytes);
    if (e.update.norm.has_value()) record->set_norm(*e.update.norm);
  }
  void operator()(const rounds::UpdateRefused& e) const {
    rec::WorkerReason* const record = to->mutable_update_refused();
    *record = WithReason(e.worker, e.reason);
    record->set_update_digest(Bytes(e.update.digest));
    record->set_update_bytes(e.update.bytes);
  }
  void operator()(const rounds::WorkerMissing& e) const {
    *to->mutable_worker_missing() = WithReason(e.worker, e.reason);
  }
  void operator()(const rounds::WorkerFailed& e) const {
    *to->mutable_worker_failed() = WithReason(e.worker, e.reason);
  }
  void operator()(const rounds::WorkerSkipped& e) const {
    *to->mutable_worker_skipped() = WithReason(e.worker, e.reason);
  }
  void operator()(const rounds::WorkerReturned& e) const {
    to->mutable_worker_returned()->set_worker(e.worker.value());
  }
  void operator()(const rounds::DeadlineChecked& e) const {
    to->mutable_deadline_checked();
    to->set_updates_without_room(e.updates_without_room);
  }
  void operator()(const rounds::Aggregated& e) const {
    rec::Aggregated* const record = to->mutable_aggregated();
    record->set_model(Bytes(e.model));
    record->set_optimizer_state(Bytes(e.optimizer_state));
    for (const auto& [worker, weight] : e.weights) {
      (*record->mutable_weights())[worker.value()] = weight;
    }
  }
  void operator()(const rounds::UpdateLost& e) const {
    *to->mutable_update_lost() = WithReason(e.worker, e.reason);
  }
  void operator()(const rounds::AbsenceAwaited& e) const {
    rec::AbsenceAwaited* const record = to->mutable_absence_awaited();
    record->set_until_us(absl::ToUnixMicros(e.until));
    record->set_reason(ToValidUtf8(e.reason));
  }
  void operator()(const rounds::AggregationFailed& e) const {
    to->mutable_aggregation_failed()->set_reason(ToValidUtf8(e.reason));
  }
  void operator()(const rounds::Evaluated& e) const {
    rec::Evaluated* const record = to->mutable_evaluated();
    record->set_worker(e.worker.value());
    record->set_examples(e.metrics.examples);
    record->set_loss(e.metrics.loss);
    if (e.metrics.accuracy.has_value()) record->set_accuracy(*e.metrics.accuracy);
  }
  void operator()(const rounds::EvaluationFailed& e) const {
    *to->mutable_evaluation_failed() = WithReason(e.worker, e.reason);
  }
  void operator()(const rounds::Cancelled& e) const {
    to->mutable_cancelled()->set_reason(ToValidUtf8(e.reason));
  }
};

rounds::RoundEvent FromOpened(const rec::Opened& record) {
  rounds::Opened event;
  for (const std::string& worker : record.cohort()) event.cohort.emplace_back(worker);
  return event;
}

absl::StatusOr<rounds::RoundEvent> FromUpdateAccepted(const rec::UpdateAccepted& record) {
  rounds::UpdateAccepted event;
  event.worker = WorkerId(record.worker());
  ENTENTE_ASSIGN_OR_RETURN(event.update.digest, ToDigest(record.digest()));
  event.update.bytes = record.update_bytes();
  event.update.examples = record.examples();
  event.update.training_loss = record.training_loss();
  event.update.sent_bytes = record.sent_bytes();
  if (record.has_norm()) event.update.norm = record.norm();
  return event;
}

absl::StatusOr<rounds::RoundEvent> FromUpdateRefused(const rec::WorkerReason& record) {
  rounds::UpdateRefused event{
      .worker = WorkerId(record.worker()), .reason = record.reason(), .update = {}};
  ENTENTE_ASSIGN_OR_RETURN(event.update.digest, ToDigest(record.update_digest()));
  event.update.bytes = record.update_bytes();
  return event;
}

absl::StatusOr<rounds::RoundEvent> FromAggregated(const rec::Aggregated& record) {
  rounds::Aggregated event;
  ENTENTE_ASSIGN_OR_RETURN(event.model, ToDigest(record.model()));
  ENTENTE_ASSIGN_OR_RETURN(event.optimizer_state, ToDigest(record.optimizer_state()));
  for (const auto& [worker, weight] : record.weights()) event.weights[WorkerId(worker)] = weight;
  return event;
}

rounds::RoundEvent FromEvaluated(const rec::Evaluated& record) {
  rounds::Evaluated event{.worker = WorkerId(record.worker()), .metrics = {}};
  event.metrics.examples = record.examples();
  event.metrics.loss = record.loss();
  if (record.has_accuracy()) event.metrics.accuracy = record.accuracy();
  return event;
}

template <typename Event>
rounds::RoundEvent FromWorkerReason(const rec::WorkerReason& record) {
  return Event{WorkerId(record.worker()), record.reason()};
}

absl::StatusOr<rounds::RoundEvent> FromRoundRecord(const rec::RoundHappened& record) {
  using Case = rec::RoundHappened::EventCase;
  switch (record.event_case()) {
    case Case::kOpened:
      return FromOpened(record.opened());
    case Case::kTaskAccepted:
      return rounds::TaskAccepted{WorkerId(record.task_accepted().worker())};
    case Case::kTaskDeclined:
      return FromWorkerReason<rounds::TaskDeclined>(record.task_declined());
    case Case::kUpdateAccepted:
      return FromUpdateAccepted(record.update_accepted());
    case Case::kUpdateRefused:
      return FromUpdateRefused(record.update_refused());
    case Case::kWorkerMissing:
      return FromWorkerReason<rounds::WorkerMissing>(record.worker_missing());
    case Case::kWorkerFailed:
      return FromWorkerReason<rounds::WorkerFailed>(record.worker_failed());
    case Case::kWorkerSkipped:
      return FromWorkerReason<rounds::WorkerSkipped>(record.worker_skipped());
    case Case::kWorkerReturned:
      return rounds::WorkerReturned{WorkerId(record.worker_returned().worker())};
    case Case::kDeadlineChecked:
      return rounds::DeadlineChecked{record.updates_without_room()};
    case Case::kAggregated:
      return FromAggregated(record.aggregated());
    case Case::kUpdateLost:
      return FromWorkerReason<rounds::UpdateLost>(record.update_lost());
    case Case::kAbsenceAwaited:
      return rounds::AbsenceAwaited{
          .until = absl::FromUnixMicros(record.absence_awaited().until_us()),
          .reason = record.absence_awaited().reason()};
    case Case::kAggregationFailed:
      return rounds::AggregationFailed{record.aggregation_failed().reason()};
    case Case::kEvaluated:
      return FromEvaluated(record.evaluated());
    case Case::kEvaluationFailed:
      return FromWorkerReason<rounds::EvaluationFailed>(record.evaluation_failed());
    case Case::kCancelled:
      return rounds::Cancelled{record.cancelled().reason()};
    case Case::EVENT_NOT_SET:
      break;
  }
  return absl::DataLossError("the journal holds a round event that this version does not know");
}

}  // namespace

rec::JobRecord ToRecord(const jobs::JobEvent& event) {
  rec::JobRecord record;
  if (const auto* happened = std::get_if<jobs::RoundHappened>(&event)) {
    record.mutable_round()->set_round_index(happened->round_index);
    record.mutable_round()->set_attempt(happened->attempt);
    record.mutable_round()->set_excuses_absence(happened->excuses_absence);
    std::visit(RoundRecorder{record.mutable_round()}, happened->event);
    return record;
  }
  if (const auto* paused = std::get_if<jobs::JobPaused>(&event)) {
    record.mutable_paused()->set_reason(ToValidUtf8(paused->reason));
    record.mutable_paused()->set_now(paused->now);
    return record;
  }
  if (const auto* resumed = std::get_if<jobs::JobResumed>(&event)) {
    record.mutable_resumed()->set_reason(ToValidUtf8(resumed->reason));
    return record;
  }
  if (const auto* started = std::get_if<jobs::CoordinatorStarted>(&event)) {
    record.mutable_coordinator_started()->set_version(ToValidUtf8(started->version));
    record.mutable_coordinator_started()->set_standing(ToValidUtf8(started->standing));
    record.mutable_coordinator_started()->set_after_a_crash(started->after_a_crash);
    return record;
  }
  const auto* cancelled = std::get_if<jobs::JobCancelled>(&event);
  ENTENTE_CHECK(cancelled != nullptr);
  record.mutable_cancelled()->set_reason(ToValidUtf8(cancelled->reason));
  return record;
}

absl::StatusOr<jobs::JobEvent> FromRecord(const rec::JobRecord& record) {
  switch (record.event_case()) {
    case rec::JobRecord::kSubmitted: {
      jobs::Submitted event{.plan = jobs::JobPlanOf(record.submitted().recipe()),
                            .initial_model = {}};
      ENTENTE_ASSIGN_OR_RETURN(event.initial_model, ToDigest(record.submitted().initial_model()));
      return event;
    }
    case rec::JobRecord::kRound: {
      jobs::RoundHappened event{.round_index = record.round().round_index(),
                                .attempt = record.round().attempt(),
                                .event = {},
                                .excuses_absence = record.round().excuses_absence()};
      ENTENTE_ASSIGN_OR_RETURN(event.event, FromRoundRecord(record.round()));
      return event;
    }
    case rec::JobRecord::kCancelled:
      return jobs::JobCancelled{record.cancelled().reason()};
    case rec::JobRecord::kPaused:
      return jobs::JobPaused{record.paused().reason(), record.paused().now()};
    case rec::JobRecord::kResumed:
      return jobs::JobResumed{record.resumed().reason()};
    case rec::JobRecord::kCoordinatorStarted:
      return jobs::CoordinatorStarted{record.coordinator_started().version(),
                                      record.coordinator_started().standing(),
                                      record.coordinator_started().after_a_crash()};
    case rec::JobRecord::EVENT_NOT_SET:
      break;
  }
  return absl::DataLossError("the journal holds an event that this version does not know");
}

}  // namespace entente::store
