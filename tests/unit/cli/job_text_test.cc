// SPDX-License-Identifier: Apache-2.0
#include "cli/job_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/job_fixture.h"

namespace entente::cli {
namespace {

TEST(JobTextTest, StatesAreWords) {
  EXPECT_EQ(JobStateWord(v1::JOB_STATE_RUNNING), "running");
  EXPECT_EQ(RoundPhaseWord(v1::ROUND_PHASE_GRACE), "grace");
  EXPECT_EQ(ParticipantStateWord(v1::PARTICIPANT_STATE_DECLINED), "declined");
  EXPECT_EQ(JobStateWord(v1::JOB_STATE_UNSPECIFIED), "");
}

TEST(JobTextTest, StateOfANewerCoordinatorShowsAsItsNumber) {
  EXPECT_EQ(JobStateWord(static_cast<v1::JobState>(99)), "99");
}

TEST(JobTextTest, RoundsAreCountedFromOne) {
  EXPECT_EQ(RoundPosition(RunningJob(2)), "3/12");
  v1::Job planned = RunningJob(0);
  planned.clear_round();
  EXPECT_EQ(RoundPosition(planned), "0/12");
}

TEST(JobTextTest, HeldOutMetricsComeBeforeTheTrainingLoss) {
  v1::Round round = CommittedRound(0, 0.612, 0.782);
  round.set_training_loss(0.5);
  EXPECT_EQ(MetricsText(round), "loss 0.612, accuracy 78.2 %");

  round.clear_evaluation();
  EXPECT_EQ(MetricsText(round), "training loss 0.5");
}

TEST(JobTextTest, LossesOfRoundsAreAllOfOneKind) {
  v1::Round only_trained;
  only_trained.set_training_loss(0.7);

  const RoundLosses mixed = LossesOf({only_trained, CommittedRound(1, 0.612, 0.782)});
  EXPECT_EQ(mixed.name, "loss");
  EXPECT_THAT(mixed.values, ::testing::ElementsAre(0.612));

  const RoundLosses trained = LossesOf({only_trained, only_trained});
  EXPECT_EQ(trained.name, "training loss");
  EXPECT_THAT(trained.values, ::testing::ElementsAre(0.7, 0.7));

  EXPECT_THAT(LossesOf({}).values, ::testing::IsEmpty());
}

TEST(JobTextTest, ElapsedStopsWithTheJobAndIsNeverNegative) {
  const absl::Time submitted = absl::FromUnixSeconds(kSubmittedAt);
  EXPECT_EQ(Elapsed(RunningJob(0), submitted + absl::Seconds(7)), absl::Seconds(7));
  EXPECT_EQ(Elapsed(RunningJob(0), submitted - absl::Seconds(7)), absl::ZeroDuration());
  EXPECT_EQ(Elapsed(EndedJob(v1::JOB_STATE_COMPLETED, ""), absl::InfiniteFuture()),
            absl::Seconds(200));
}

TEST(JobTextTest, JobIsLateWhenItsRoundTakesTwiceAsLongAsExpected) {
  const absl::Time submitted = absl::FromUnixSeconds(kSubmittedAt);
  v1::Job job = RunningJob(2);
  EXPECT_FALSE(IsLate(job, absl::InfiniteFuture())) << "nothing is expected";
  *job.mutable_expected_end_at() = ToProto(submitted + absl::Seconds(120));  // 10 s a round.

  EXPECT_FALSE(IsLate(job, submitted + absl::Seconds(39)));
  EXPECT_TRUE(IsLate(job, submitted + absl::Seconds(40)));
  job.set_state(v1::JOB_STATE_COMPLETED);
  EXPECT_FALSE(IsLate(job, submitted + absl::Seconds(40)));
}

TEST(JobTextTest, JobIsLateWhenTheExpectedEndHasPassed) {
  const absl::Time submitted = absl::FromUnixSeconds(kSubmittedAt);
  v1::Job job = RunningJob(11);
  *job.mutable_expected_end_at() = ToProto(submitted + absl::Seconds(120));

  EXPECT_FALSE(IsLate(job, submitted + absl::Seconds(119)));
  EXPECT_TRUE(IsLate(job, submitted + absl::Seconds(120)));
}

TEST(JobTextTest, DigestsAreShortenedToTwelveDigits) {
  EXPECT_EQ(ShortDigest(std::string(64, 'a')), "aaaaaaaaaaaa");
  EXPECT_EQ(ShortDigest(""), "");
}

}  // namespace
}  // namespace entente::cli
