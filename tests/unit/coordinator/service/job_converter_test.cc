// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/job_converter.h"

#include <gmock/gmock.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/config/proto_time.h"
#include "coordinator/rounds/round_report.h"
#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

TEST(JobConverterTest, MetricsWithoutAccuracyStayWithout) {
  EXPECT_FALSE(ToProto(rounds::Metrics{.examples = 3, .loss = 1}).has_accuracy());
  EXPECT_EQ(ToProto(rounds::Metrics{.examples = 3, .loss = 1, .accuracy = 0.5}).accuracy(), 0.5);
}

TEST_F(ServiceTest, RoundTellsOfEveryParticipant) {
  rounds::RoundState round;
  round.round_index = 4;
  round.phase = rounds::RoundPhase::kCollecting;
  round.opened_at = kNow;
  round.closes_at = kNow + absl::Seconds(9);
  round.participants[WorkerId("fr-lab/w")] = {.state = rounds::ParticipantState::kAccepted,
                                              .update = {.digest = Sha256Of("u"),
                                                         .bytes = 40,
                                                         .examples = 7,
                                                         .training_loss = 0.5,
                                                         .norm = 2.5},
                                              .weight = 0.25};
  round.participants[WorkerId("kr-lab/w")] = {.state = rounds::ParticipantState::kWorking};

  Submit(RecipeOf(2, 1));
  engine::JobView view = jobs_->All()[0]->View();
  view.progress = {
      {WorkerId("kr-lab/w"), {.activity = "training", .step = 3, .step_count = 9, .loss = 1}}};

  const v1::Round proto = ToProto(view, round, *workers_, kNow, Detail::kFull);

  EXPECT_EQ(proto.round_index(), 4U);
  EXPECT_EQ(proto.updates_accepted(), 1U);
  EXPECT_EQ(proto.bytes_up(), 40U);
  ASSERT_EQ(proto.participants_size(), 2);
  EXPECT_EQ(proto.participants(0).jurisdiction(), "FR");
  EXPECT_EQ(proto.participants(0).update_digest(), Sha256Of("u").ToHex());
  EXPECT_EQ(proto.participants(0).weight(), 0.25);
  EXPECT_EQ(proto.participants(0).update_norm(), 2.5);
  EXPECT_FALSE(proto.participants(1).has_update_norm());
  EXPECT_EQ(proto.participants(1).activity(), "training");
  EXPECT_EQ(proto.participants(1).step_count(), 9U);
  EXPECT_THAT(proto.waiting_for(),
              ::testing::HasSubstr("waiting for kr-lab/w (training, step 3 of 9);"));
}

TEST_F(ServiceTest, WorkerThatIsGoneIsSaidToBeGoneAndUntilWhenItIsAwaited) {
  const WorkerId fr("fr-lab/w");
  const auto connection = AttachWorker("fr-lab/w");
  Submit(RecipeOf(2, 1));
  engine::JobView view = jobs_->All()[0]->View();
  view.progress = {{fr, {.activity = "training", .step = 3, .step_count = 9, .loss = 1}}};
  view.lease_ends = {{fr, kNow + absl::Seconds(30)}};
  rounds::RoundState round;
  round.phase = rounds::RoundPhase::kCollecting;
  round.participants[fr] = {.state = rounds::ParticipantState::kWorking};
  workers_->Detach(fr, connection.get(), "the connection ended");
  ASSERT_TRUE(workers_->DetachedSince(fr).has_value());
  const std::string gone =
      absl::StrCat("not attached since ", rounds::ClockText(*workers_->DetachedSince(fr), kNow));

  const v1::Round training = ToProto(view, round, *workers_, kNow, Detail::kFull);
  round.closes_at = kNow + absl::Seconds(20);
  const v1::Round closing = ToProto(view, round, *workers_, kNow, Detail::kFull);
  round.closes_at = kNow + absl::Minutes(5);
  round.participants[fr] = {.state = rounds::ParticipantState::kAccepted,
                            .evaluation_awaited = true};
  round.phase = rounds::RoundPhase::kEvaluating;
  const v1::Round evaluating = ToProto(view, round, *workers_, kNow, Detail::kFull);
  AttachWorker("fr-lab/w");
  const v1::Round back = ToProto(view, round, *workers_, kNow, Detail::kFull);

  EXPECT_EQ(training.participants(0).state(), v1::PARTICIPANT_STATE_WORKING);
  EXPECT_EQ(training.participants(0).reason(),
            absl::StrCat("was training; ", gone,
                         ", counts as missing at 22:13:50 UTC if it does not come back"));
  EXPECT_THAT(closing.participants(0).reason(),
              ::testing::HasSubstr("counts as missing at 22:13:40 UTC"));
  EXPECT_TRUE(training.participants(0).has_detached_at());
  EXPECT_EQ(training.participants(0).activity(), "");
  EXPECT_EQ(training.participants(0).step_count(), 0U);
  EXPECT_THAT(training.waiting_for(),
              ::testing::HasSubstr(absl::StrCat("waiting for fr-lab/w (", gone, ");")));
  EXPECT_THAT(
      evaluating.participants(0).reason(),
      ::testing::EndsWith(absl::StrCat(gone, ", its evaluation is awaited until 22:13:50 UTC")));
  EXPECT_EQ(back.participants(0).reason(), "");
  EXPECT_FALSE(back.participants(0).has_detached_at());
  EXPECT_EQ(back.participants(0).activity(), "training");
}

TEST_F(ServiceTest, RoundSaysWhyItsUpdatesAreNotCombinedYet) {
  rounds::RoundState round;
  round.phase = rounds::RoundPhase::kAggregating;
  Submit(RecipeOf(2, 1));
  engine::JobView view = jobs_->All()[0]->View();
  view.combining = rounds::Combining{.stage = rounds::Combining::Stage::kPauses,
                                     .began_at = kNow,
                                     .failure = "the disk is full",
                                     .next_try_at = kNow + absl::Seconds(1)};
  view.journal_health = absl::ResourceExhaustedError("the journal's disk is full");

  EXPECT_EQ(ToProto(view, round, *workers_, kNow, Detail::kFull).waiting_for(),
            "waiting for the coordinator to combine the updates; try 1 failed (the disk is "
            "full), and the next begins in 1s, at 22:13:21 UTC; the journal's disk is full; it is "
            "tried again every 1s");
}

TEST_F(ServiceTest, NormThatWasNotMeasuredIsNotThere) {
  rounds::RoundState round;
  round.participants[WorkerId("fr-lab/w")] = {.state = rounds::ParticipantState::kAccepted,
                                              .update = {.digest = Sha256Of("u"), .bytes = 40}};
  Submit(RecipeOf(2, 1));

  const v1::Round proto = ToProto(jobs_->All()[0]->View(), round, *workers_, kNow, Detail::kFull);

  ASSERT_EQ(proto.participants_size(), 1);
  EXPECT_FALSE(proto.participants(0).has_update_norm());
}

TEST_F(ServiceTest, RefusedUpdateHasADigestAndNoNumbers) {
  rounds::RoundState round;
  round.participants[WorkerId("fr-lab/w")] = {.state = rounds::ParticipantState::kRefused,
                                              .reason = "it holds a NaN",
                                              .refused = {.digest = Sha256Of("u"), .bytes = 40}};
  round.participants[WorkerId("kr-lab/w")] = {.state = rounds::ParticipantState::kRefused};
  Submit(RecipeOf(2, 1));

  const v1::Round proto = ToProto(jobs_->All()[0]->View(), round, *workers_, kNow, Detail::kFull);

  ASSERT_EQ(proto.participants_size(), 2);
  EXPECT_EQ(proto.participants(0).update_digest(), Sha256Of("u").ToHex());
  EXPECT_EQ(proto.participants(0).update_bytes(), 40U);
  EXPECT_FALSE(proto.participants(0).has_update_norm());
  EXPECT_EQ(proto.participants(1).update_digest(), "");
  EXPECT_EQ(proto.bytes_up(), 0U);
}

TEST_F(ServiceTest, BriefJobHasNoRecipeAndNoParticipants) {
  Submit(RecipeOf(2, 1));
  const auto job = jobs_->All()[0];

  const v1::Job brief = ToProto(job->View(), *workers_, kNow, Detail::kBrief);
  const v1::Job full = ToProto(job->View(), *workers_, kNow, Detail::kFull);

  EXPECT_FALSE(brief.has_recipe());
  EXPECT_EQ(brief.round().participants_size(), 0);
  EXPECT_TRUE(full.has_recipe());
  EXPECT_EQ(full.state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(full.round_count(), 2U);
}

TEST_F(ServiceTest, ExpectedEndIsNotMovedOnWhileARoundTakesLonger) {
  Submit(RecipeOf(4, 1));
  engine::JobView view = jobs_->All()[0]->View();
  jobs::JobState second_round = *view.state;
  second_round.submitted_at = kNow;
  second_round.rounds_committed = 1;
  second_round.round.planned_at = kNow + absl::Seconds(10);
  view.state = std::make_shared<const jobs::JobState>(second_round);

  const v1::Job proto = ToProto(view, *workers_, kNow + absl::Hours(1), Detail::kBrief);

  EXPECT_EQ(ToTime(proto.expected_end_at()), kNow + absl::Seconds(40));
}

TEST_F(ServiceTest, PausedJobSaysByWhomAndWhatItsRoundWaitsFor) {
  Submit(RecipeOf(2, 1));
  engine::JobView view = jobs_->All()[0]->View();
  jobs::JobState paused = *view.state;
  paused.paused = true;
  paused.pause_reason = "paused by s";
  view.state = std::make_shared<const jobs::JobState>(paused);

  const v1::Job proto = ToProto(view, *workers_, kNow, Detail::kBrief);

  EXPECT_EQ(proto.state(), v1::JOB_STATE_PAUSED);
  EXPECT_EQ(proto.reason(), "paused by s");
  EXPECT_EQ(proto.round().waiting_for(),
            "waiting for the job to be resumed; a paused job has no deadline");
}

}  // namespace
}  // namespace entente::service
