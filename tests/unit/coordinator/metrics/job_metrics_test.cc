// SPDX-License-Identifier: Apache-2.0
#include "coordinator/metrics/job_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/simulated_clock.h"

namespace entente::metrics {
namespace {

using rounds::ParticipantState;
using rounds::RoundPhase;
using ::testing::HasSubstr;
using ::testing::Not;

class JobMetricsTest : public ::testing::Test {
 protected:
  JobMetricsTest() { job_.id = JobId("table-1"); }

  void Change(std::shared_ptr<const rounds::RoundState> ended = nullptr) {
    metrics_.OnJobChange({.job = job_, .state = state_, .ended_round = std::move(ended)});
  }
  void Set(const std::string& worker, ParticipantState state, const std::string& reason = "") {
    state_.round.participants[WorkerId(worker)] = {.state = state, .reason = reason};
  }

  SimulatedClock clock_;
  MetricRegistry registry_{CoordinatorMetricSpecs()};
  JobMetrics metrics_{&clock_, &registry_};
  engine::JobDescription job_;
  jobs::JobState state_;
};

TEST_F(JobMetricsTest, UpdatesCountOnceEach) {
  Set("fr-lab/w", ParticipantState::kWorking);
  Set("kr-lab/w", ParticipantState::kWorking);
  Change();
  Set("fr-lab/w", ParticipantState::kAccepted);
  Change();
  Set("kr-lab/w", ParticipantState::kRefused, "tensor \"w\" holds nan at index 3");
  Change();
  Change();
  EXPECT_THAT(registry_.Render(), HasSubstr("entente_updates_accepted_total{member=\"fr-lab\"} 1"));
  EXPECT_THAT(registry_.Render(),
              HasSubstr("entente_updates_refused_total{member=\"kr-lab\",reason=\"value\"} 1"));
}

TEST_F(JobMetricsTest, LastWordsOfARoundCountWithItsEnd) {
  state_.round.phase = RoundPhase::kCollecting;
  Set("fr-lab/w", ParticipantState::kWorking);
  Change();
  auto ended = std::make_shared<rounds::RoundState>(state_.round);
  ended->phase = RoundPhase::kAborted;
  ended->opened_at = clock_.Now() - absl::Seconds(30);
  ended->ended_at = clock_.Now();
  ended->participants[WorkerId("fr-lab/w")].state = ParticipantState::kFailed;
  state_.round = rounds::RoundState{.round_index = 1};
  Change(ended);
  const std::string text = registry_.Render();
  EXPECT_THAT(text, HasSubstr("entente_tasks_lost_total{member=\"fr-lab\",outcome=\"failed\"} 1"));
  EXPECT_THAT(text, HasSubstr("entente_rounds_total{outcome=\"aborted\"} 1"));
  EXPECT_THAT(text, HasSubstr("entente_round_duration_seconds_sum{outcome=\"aborted\"} 30"));
}

TEST_F(JobMetricsTest, WhoseAttemptWasAbortedBeforeItsTimeHasLostNoTask) {
  Set("fr-lab/w", ParticipantState::kWorking);
  Change();
  auto ended = std::make_shared<rounds::RoundState>(state_.round);
  ended->phase = RoundPhase::kAborted;
  ended->participants[WorkerId("fr-lab/w")].state = ParticipantState::kUnfinished;

  Change(ended);

  EXPECT_THAT(registry_.Render(), Not(HasSubstr("entente_tasks_lost_total{")));
}

TEST_F(JobMetricsTest, PhasesAndAggregationsAreTimed) {
  Change();
  clock_.Advance(absl::Seconds(2));
  state_.round.phase = RoundPhase::kCollecting;
  Change();
  clock_.Advance(absl::Seconds(40));
  state_.round.phase = RoundPhase::kAggregating;
  Change();
  clock_.Advance(absl::Seconds(3));
  state_.round.phase = RoundPhase::kEvaluating;
  Change();
  const std::string text = registry_.Render();
  EXPECT_THAT(text, HasSubstr("entente_round_phase_duration_seconds_sum{phase=\"planned\"} 2"));
  EXPECT_THAT(text, HasSubstr("entente_round_phase_duration_seconds_sum{phase=\"collecting\"} 40"));
  EXPECT_THAT(text, HasSubstr("entente_aggregation_duration_seconds_sum 3"));
}

TEST_F(JobMetricsTest, WhatWasBeforeTheStartIsNotCounted) {
  Set("fr-lab/w", ParticipantState::kAccepted);
  metrics_.Begin(job_.id, state_);
  Change();
  EXPECT_THAT(registry_.Render(), Not(HasSubstr("entente_updates_accepted_total{")));
}

TEST_F(JobMetricsTest, EndedJobIsCountedAndForgotten) {
  Change();
  EXPECT_EQ(metrics_.LastChangeOf(job_.id, {}), clock_.Now());
  state_.status = jobs::JobStatus::kCompleted;
  Change();
  EXPECT_EQ(metrics_.LastChangeOf(job_.id, {}), absl::InfinitePast());
  EXPECT_THAT(registry_.Render(), HasSubstr("entente_jobs_ended_total{state=\"completed\"} 1"));
}

TEST_F(JobMetricsTest, WorkerThatGetsOnWithItsTaskIsNoSilence) {
  Change();
  const absl::Time began_at = clock_.Now();
  std::map<WorkerId, engine::WorkerProgress> progress;
  clock_.Advance(absl::Minutes(10));
  EXPECT_EQ(metrics_.LastChangeOf(job_.id, progress), began_at);
  progress[WorkerId("fr-lab/w")] = {.activity = "training", .step = 5};
  const absl::Time got_on_at = clock_.Now();
  EXPECT_EQ(metrics_.LastChangeOf(job_.id, progress), got_on_at);
  // The same step again and again is what a trainer that hangs looks like.
  clock_.Advance(absl::Minutes(10));
  EXPECT_EQ(metrics_.LastChangeOf(job_.id, progress), got_on_at);
  progress[WorkerId("fr-lab/w")].step = 6;
  EXPECT_EQ(metrics_.LastChangeOf(job_.id, progress), clock_.Now());
}

TEST(RefusalReasonTest, SentencesOfTheChecksHaveTheirWord) {
  EXPECT_EQ(RefusalReasonOf("it was trained on zero examples"), "examples");
  EXPECT_EQ(RefusalReasonOf("it has 9 bytes, but an update of this model has 8"), "size");
  EXPECT_EQ(RefusalReasonOf("tensor \"a\" has shape [2], expected [3]"), "shape");
  EXPECT_EQ(RefusalReasonOf("tensor \"a\" is BF16, expected F32"), "shape");
  EXPECT_EQ(RefusalReasonOf("tensor \"a\" holds inf at index 0"), "value");
  EXPECT_EQ(RefusalReasonOf("the update is not in canonical form: ..."), "format");
  EXPECT_EQ(RefusalReasonOf("something new"), "other");
}

}  // namespace
}  // namespace entente::metrics
