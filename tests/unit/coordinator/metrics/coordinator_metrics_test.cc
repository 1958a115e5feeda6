// SPDX-License-Identifier: Apache-2.0
#include "coordinator/metrics/coordinator_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/identity/certificate.h"
#include "tests/support/failing_journal.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::metrics {
namespace {

using rounds::ParticipantState;
using rounds::RoundPhase;
using ::testing::HasSubstr;

class NobodysConnection final : public members::WorkerConnection {
 public:
  void Send(const v1::CoordinatorMessage&) override {}
  void Close(const absl::Status&) override {}
};

class CoordinatorMetricsTest : public ::testing::Test {
 protected:
  CoordinatorMetricsTest()
      : workers_({{.id = MemberId("fr-lab"), .trust_domain = "fr-lab.example"},
                  {.id = MemberId("kr-lab"), .trust_domain = "kr-lab.example"}},
                 &clock_, 10),
        pool_(1),
        space_(&files_, folder_.path(), updates::SpaceLedger::kNoQuota),
        metrics_({.version = "9.9",
                  .data_directory = folder_.path(),
                  .free_bytes_min = 4096,
                  .spool_bytes_max = 8192,
                  .certificate = folder_.File("own.crt"),
                  .http_certificate = folder_.File("http.crt")},
                 {.clock = &clock_,
                  .files = &files_,
                  .executor = &pool_,
                  .workers = &workers_,
                  .space = &space_,
                  .journal = &journal_}) {}

  SimulatedClock clock_;
  PosixFileSystem files_;
  TempFolder folder_;
  members::WorkerRegistry workers_;
  ThreadPool pool_;
  updates::SpaceLedger space_;
  FailingJournal real_journal_;
  store::ObservedJournal journal_{&real_journal_, &clock_};
  CoordinatorMetrics metrics_;
};

TEST_F(CoordinatorMetricsTest, WorkersComeAndGo) {
  const auto connection = std::make_shared<NobodysConnection>();
  const absl::Time expires_at = absl::FromUnixSeconds(1'800'000'000);
  ASSERT_THAT(
      workers_.Attach(WorkerId("fr-lab/w"), {.certificate_expires_at = expires_at}, connection),
      IsOk());
  workers_.AddBytes(WorkerId("fr-lab/w"), 100, 7);
  std::string text = metrics_.Render();
  EXPECT_THAT(text, HasSubstr("entente_workers{member=\"fr-lab\",state=\"attached\"} 1"));
  EXPECT_THAT(text, HasSubstr("entente_workers{member=\"kr-lab\",state=\"attached\"} 0"));
  EXPECT_THAT(text, HasSubstr("{direction=\"up\",member=\"fr-lab\"} 100"));
  EXPECT_THAT(text, HasSubstr("{direction=\"down\",member=\"fr-lab\"} 7"));
  EXPECT_THAT(text, HasSubstr("{holder=\"worker\",member=\"fr-lab\"} 1800000000"));
  workers_.Detach(WorkerId("fr-lab/w"), connection.get(), "gone");
  text = metrics_.Render();
  EXPECT_THAT(text, HasSubstr("entente_workers{member=\"fr-lab\",state=\"detached\"} 1"));
  EXPECT_THAT(text, HasSubstr("entente_workers{member=\"fr-lab\",state=\"attached\"} 0"));
  EXPECT_THAT(text, testing::Not(HasSubstr("holder=\"worker\"")));
}

TEST_F(CoordinatorMetricsTest, CertificateForBrowsersSaysWhenItExpiresToo) {
  const auto certificate = [](absl::Duration validity) {
    return CreateAuthority({.trust_domain = "a.example", .display_name = "A", .validity = validity},
                           absl::FromUnixSeconds(1'700'000'000))
        .value()
        .certificate_pem;
  };
  folder_.Write("own.crt", certificate(absl::Hours(24)));
  folder_.Write("http.crt", certificate(absl::Hours(48)));

  const std::string text = metrics_.Render();

  EXPECT_THAT(text, HasSubstr("{holder=\"own\",member=\"\"} 1700086400"));
  EXPECT_THAT(text, HasSubstr("{holder=\"http\",member=\"\"} 1700172800"));
}

TEST_F(CoordinatorMetricsTest, StorageAndBuildAreThere) {
  const std::string text = metrics_.Render();
  EXPECT_THAT(text, HasSubstr("program=\"entente-coordinator\",version=\"9.9\"} 1"));
  EXPECT_THAT(text, HasSubstr("entente_disk_reserved_bytes 4096"));
  EXPECT_THAT(text, HasSubstr("entente_spool_quota_bytes 8192"));
  EXPECT_THAT(text, HasSubstr("entente_spool_bytes 0"));
  EXPECT_THAT(text, HasSubstr("\nentente_disk_free_bytes "));
  EXPECT_THAT(text, HasSubstr("entente_executor_lag_seconds 0"));
}

TEST_F(CoordinatorMetricsTest, IsReadyWhenItIsSaidTo) {
  EXPECT_THAT(metrics_.readiness(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("starting")));
  EXPECT_THAT(metrics_.Render(), HasSubstr("entente_ready 0"));
  metrics_.SetReadiness(absl::OkStatus());
  EXPECT_THAT(metrics_.Render(), HasSubstr("entente_ready 1"));
}

TEST_F(CoordinatorMetricsTest, IsNotReadyWhileTheJournalRefusesEvents) {
  metrics_.SetReadiness(absl::OkStatus());
  const store::JournalEntry entry{.job = JobId("a"), .sequence = 1};
  real_journal_.next = absl::UnavailableError("disk I/O error");
  EXPECT_THAT(journal_.Append(entry), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(metrics_.readiness(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("journal could not be written")));
  EXPECT_THAT(metrics_.Render(), HasSubstr("entente_ready 0"));

  real_journal_.next = absl::OkStatus();
  EXPECT_THAT(journal_.Append(entry), IsOk());
  EXPECT_THAT(metrics_.readiness(), IsOk());
  EXPECT_THAT(metrics_.Render(), HasSubstr("entente_ready 1"));
}

TEST_F(CoordinatorMetricsTest, WhatWasSaidComesBeforeTheJournal) {
  real_journal_.next = absl::UnavailableError("disk I/O error");
  EXPECT_THAT(journal_.Append({.job = JobId("a"), .sequence = 1}),
              StatusIs(absl::StatusCode::kUnavailable));

  EXPECT_THAT(metrics_.readiness(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("starting")));
}

TEST_F(CoordinatorMetricsTest, UploadsAreTimedByTheirEnd) {
  metrics_.OnUploadEnded(absl::Seconds(4), absl::OkStatus());
  metrics_.OnUploadEnded(absl::Seconds(5), absl::InvalidArgumentError(""));
  metrics_.OnUploadEnded(absl::Seconds(6), absl::CancelledError(""));
  const std::string text = metrics_.Render();
  EXPECT_THAT(text, HasSubstr("entente_upload_duration_seconds_sum{outcome=\"stored\"} 4"));
  EXPECT_THAT(text, HasSubstr("entente_upload_duration_seconds_sum{outcome=\"refused\"} 5"));
  EXPECT_THAT(text, HasSubstr("entente_upload_duration_seconds_sum{outcome=\"cut\"} 6"));
}

TEST(QuorumAtRiskTest, CountsWhoMayStillDeliver) {
  rounds::RoundState round{.phase = RoundPhase::kCollecting, .updates_required = 2};
  round.participants[WorkerId("a/w")].state = ParticipantState::kAccepted;
  round.participants[WorkerId("b/w")].state = ParticipantState::kWorking;
  EXPECT_FALSE(IsQuorumAtRisk(round, 0));
  round.participants[WorkerId("b/w")].state = ParticipantState::kMissing;
  EXPECT_TRUE(IsQuorumAtRisk(round, 0));
  round.phase = RoundPhase::kAggregating;
  EXPECT_FALSE(IsQuorumAtRisk(round, 0));
}

TEST(QuorumAtRiskTest, BeforeItOpensWhoIsAvailableCounts) {
  rounds::RoundState round{.phase = RoundPhase::kPlanned};
  round.policy.quorum_count = 3;
  EXPECT_TRUE(IsQuorumAtRisk(round, 2));
  EXPECT_FALSE(IsQuorumAtRisk(round, 3));
}

}  // namespace
}  // namespace entente::metrics
