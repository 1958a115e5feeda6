// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_CLI_JOB_FIXTURE_H_
#define TESTS_UNIT_CLI_JOB_FIXTURE_H_

// Jobs in the states that views and tables are tested with.

#include <string>

#include "absl/time/time.h"
#include "common/config/proto_time.h"
#include "entente/v1/job.pb.h"

namespace entente::cli {

inline constexpr int64_t kSubmittedAt = 1'700'000'000;

// A job of 12 rounds, submitted at kSubmittedAt, with `committed` of them committed.
inline v1::Job RunningJob(uint32_t committed) {
  v1::Job job;
  job.set_id("fashion-mnist-k3x9qa");
  job.set_name("fashion-mnist");
  job.set_submitter("spiffe://alliance.example/submitter/someone");
  job.set_state(v1::JOB_STATE_RUNNING);
  job.set_round_count(12);
  job.set_rounds_committed(committed);
  job.set_bytes_up(4299162);
  job.set_bytes_down(8598324);
  *job.mutable_submitted_at() = ToProto(absl::FromUnixSeconds(kSubmittedAt));
  v1::Round& round = *job.mutable_round();
  round.set_job_id(job.id());
  round.set_round_index(committed);
  round.set_attempt(1);
  round.set_phase(v1::ROUND_PHASE_COLLECTING);
  round.set_reason("5 workers were asked");
  round.set_updates_required(3);
  return job;
}

inline v1::Participant* AddParticipant(v1::Job* job, const std::string& jurisdiction,
                                       const std::string& worker, v1::ParticipantState state) {
  v1::Participant* participant = job->mutable_round()->add_participants();
  participant->set_worker(worker);
  participant->set_jurisdiction(jurisdiction);
  participant->set_state(state);
  return participant;
}

inline v1::Round CommittedRound(uint32_t index, double loss, double accuracy) {
  v1::Round round;
  round.set_round_index(index);
  round.set_attempt(1);
  round.set_phase(v1::ROUND_PHASE_COMMITTED);
  round.set_updates_accepted(5);
  round.set_updates_required(3);
  round.set_bytes_up(4299162);
  round.mutable_evaluation()->set_examples(1000);
  round.mutable_evaluation()->set_loss(loss);
  round.mutable_evaluation()->set_accuracy(accuracy);
  return round;
}

inline v1::Job EndedJob(v1::JobState state, const std::string& reason) {
  v1::Job job = RunningJob(12);
  job.set_state(state);
  job.set_reason(reason);
  job.mutable_round()->set_round_index(11);
  job.mutable_round()->set_phase(v1::ROUND_PHASE_COMMITTED);
  *job.mutable_ended_at() = ToProto(absl::FromUnixSeconds(kSubmittedAt + 200));
  return job;
}

}  // namespace entente::cli

#endif  // TESTS_UNIT_CLI_JOB_FIXTURE_H_
