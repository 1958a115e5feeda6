// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_narrator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/job_fixture.h"

namespace entente::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WatchNarratorTest : public ::testing::Test {
 protected:
  WatchNarratorTest() {
    picture_.job = RunningJob(0);
    picture_.job.mutable_round()->set_waiting_for("waiting for a; 0 of 3 in; closes in 60 s");
    picture_.now = absl::FromUnixSeconds(kSubmittedAt + 10);
  }

  v1::Round& round() { return *picture_.job.mutable_round(); }

  WatchPicture picture_;
  WatchNarrator narrator_;
};

TEST_F(WatchNarratorTest, BeginsWithTheJobAndItsRound) {
  EXPECT_THAT(narrator_.Tell(picture_),
              ElementsAre("job fashion-mnist-k3x9qa running: 0 of 12 rounds committed",
                          "round 1/12 collecting: waiting for a; 0 of 3 in; closes in 60 s"));
}

TEST_F(WatchNarratorTest, CountdownIsNotTold) {
  narrator_.Tell(picture_);
  round().set_waiting_for("waiting for a; 0 of 3 in; closes in 59 s");

  EXPECT_THAT(narrator_.Tell(picture_), IsEmpty());
}

TEST_F(WatchNarratorTest, EveryUpdateAndPhaseIsTold) {
  narrator_.Tell(picture_);
  round().set_updates_accepted(1);
  round().set_waiting_for("waiting for a; 1 of 3 in; closes in 50 s");
  EXPECT_THAT(narrator_.Tell(picture_),
              ElementsAre("round 1/12 collecting: waiting for a; 1 of 3 in; closes in 50 s"));

  round().set_phase(v1::ROUND_PHASE_AGGREGATING);
  round().clear_waiting_for();
  round().set_reason("quorum of 3 met");
  EXPECT_THAT(narrator_.Tell(picture_), ElementsAre("round 1/12 aggregating: quorum of 3 met"));
}

TEST_F(WatchNarratorTest, PauseAndItsEndAreToldOnce) {
  narrator_.Tell(picture_);
  picture_.job.set_state(v1::JOB_STATE_PAUSED);
  picture_.job.set_reason("paused by s");
  EXPECT_THAT(narrator_.Tell(picture_),
              ElementsAre("job fashion-mnist-k3x9qa paused: paused by s"));
  EXPECT_THAT(narrator_.Tell(picture_), IsEmpty());
  picture_.job.set_state(v1::JOB_STATE_RUNNING);
  EXPECT_THAT(narrator_.Tell(picture_), ElementsAre("job fashion-mnist-k3x9qa goes on"));
}

TEST_F(WatchNarratorTest, RefusalsAreToldOnceWithTheirReason) {
  narrator_.Tell(picture_);
  AddParticipant(&picture_.job, "IN", "in-lab/gpu-1", v1::PARTICIPANT_STATE_DECLINED)
      ->set_reason("policy rule \"nights-only\"");

  EXPECT_THAT(narrator_.Tell(picture_),
              ElementsAre("round 1/12 in-lab/gpu-1 declined: policy rule \"nights-only\""));
  EXPECT_THAT(narrator_.Tell(picture_), IsEmpty());
}

TEST_F(WatchNarratorTest, FailuresAreToldOnceWithTheirReason) {
  narrator_.Tell(picture_);
  AddParticipant(&picture_.job, "IN", "in-lab/gpu-1", v1::PARTICIPANT_STATE_FAILED)
      ->set_reason("the trainer says: no column \"age\"");

  EXPECT_THAT(narrator_.Tell(picture_),
              ElementsAre("round 1/12 in-lab/gpu-1 failed: the trainer says: no column \"age\""));
  EXPECT_THAT(narrator_.Tell(picture_), IsEmpty());
}

// Attempts that fail at once may be over before anybody sees them in flight.
TEST_F(WatchNarratorTest, ReasonsOfTheLastAttemptAreToldThoughItWasNeverSeenInFlight) {
  narrator_.Tell(picture_);
  picture_.job = RunningJob(0);
  picture_.job.set_state(v1::JOB_STATE_FAILED);
  picture_.job.set_reason("round 1 failed in 3 attempts");
  *picture_.job.mutable_ended_at() = ToProto(absl::FromUnixSeconds(kSubmittedAt + 1));
  round().set_attempt(3);
  round().set_phase(v1::ROUND_PHASE_ABORTED);
  AddParticipant(&picture_.job, "IN", "in-lab/gpu-1", v1::PARTICIPANT_STATE_DECLINED)
      ->set_reason("rule default-deny: no rule allows it");
  AddParticipant(&picture_.job, "KR", "kr-lab/gpu-1", v1::PARTICIPANT_STATE_FAILED)
      ->set_reason("no data");

  EXPECT_THAT(
      narrator_.Tell(picture_),
      ElementsAre("round 1/12 (attempt 3) in-lab/gpu-1 declined: rule default-deny: no rule "
                  "allows it",
                  "round 1/12 (attempt 3) kr-lab/gpu-1 failed: no data",
                  "job fashion-mnist-k3x9qa failed after 1 s, 0 rounds: round 1 failed in 3 "
                  "attempts"));
}

TEST_F(WatchNarratorTest, CommittedRoundsAreToldWithTheirNumbers) {
  narrator_.Tell(picture_);
  picture_.committed = {CommittedRound(0, 0.61, 0.782), CommittedRound(1, 0.5, 0.8)};
  picture_.job = RunningJob(2);

  EXPECT_THAT(narrator_.Tell(picture_),
              ElementsAre("round 1/12 committed: loss 0.61, accuracy 78.2 %, 5 updates, 4.1 MiB up",
                          "round 2/12 committed: loss 0.5, accuracy 80.0 %, 5 updates, 4.1 MiB up",
                          "round 3/12 collecting: 5 workers were asked"));
}

TEST_F(WatchNarratorTest, NewAttemptIsTold) {
  narrator_.Tell(picture_);
  round().set_attempt(2);
  round().clear_waiting_for();

  EXPECT_THAT(narrator_.Tell(picture_),
              ElementsAre("round 1/12 (attempt 2) collecting: 5 workers were asked"));
}

TEST_F(WatchNarratorTest, LostConnectionIsToldOnce) {
  narrator_.Tell(picture_);
  picture_.note = "cannot reach the coordinator; trying again";
  EXPECT_THAT(narrator_.Tell(picture_), ElementsAre("cannot reach the coordinator; trying again"));
  EXPECT_THAT(narrator_.Tell(picture_), IsEmpty());

  picture_.note.clear();
  EXPECT_THAT(narrator_.Tell(picture_), IsEmpty());
}

TEST_F(WatchNarratorTest, EndIsToldOnceWithItsReason) {
  narrator_.Tell(picture_);
  picture_.job = EndedJob(v1::JOB_STATE_FAILED, "quorum lost 3 times");

  EXPECT_THAT(
      narrator_.Tell(picture_),
      ElementsAre("job fashion-mnist-k3x9qa failed after 3 min 20 s, 12 rounds: quorum lost "
                  "3 times"));
  EXPECT_THAT(narrator_.Tell(picture_), IsEmpty());
}

}  // namespace
}  // namespace entente::cli
