// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class RoundShowTest : public CoordinatorFixture {
 protected:
  RoundShowTest() {
    v1::Job job = RunningJob(1);
    v1::Participant* participant =
        AddParticipant(&job, "FR", "fr-lab/gpu-1", v1::PARTICIPANT_STATE_DECLINED);
    participant->set_reason("policy rule \"nights-only\"");
    AddParticipant(&job, "KR", "kr-lab/gpu-1", v1::PARTICIPANT_STATE_FAILED)
        ->set_reason("the trainer ended with signal 9");
    v1::Participant* accepted =
        AddParticipant(&job, "IN", "in-lab/gpu-1", v1::PARTICIPANT_STATE_ACCEPTED);
    accepted->set_weight(0.625);
    accepted->set_update_norm(1.23456);
    AddParticipant(&job, "JP", "jp-lab/gpu-1", v1::PARTICIPANT_STATE_ACCEPTED);
    SetJobs({job});
    absl::MutexLock lock(&state().mu);
    state().rounds = {CommittedRound(0, 0.9, 0.5), job.round()};
  }
};

TEST_F(RoundShowTest, NewestRoundIsTheDefault) {
  EXPECT_EQ(RunThere({"round", "show", "fashion-mnist-k3x9qa"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("round    2\n"), HasSubstr("fr-lab/gpu-1"),
                           HasSubstr("policy rule \"nights-only\"")));
}

TEST_F(RoundShowTest, RoundThatIsNotOpenYetHasNoTimeOfOpening) {
  {
    absl::MutexLock lock(&state().mu);
    state().rounds.back().clear_opened_at();
    state().rounds.back().set_phase(v1::ROUND_PHASE_PLANNED);
  }

  EXPECT_EQ(RunThere({"round", "show", "fashion-mnist-k3x9qa"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("planned"), Not(HasSubstr("1970"))));
}

TEST_F(RoundShowTest, FailedWorkerIsShownWithItsReason) {
  RunThere({"round", "show", "fashion-mnist-k3x9qa"});

  EXPECT_THAT(out(), ContainsRegex("kr-lab/gpu-1 +failed .*the trainer ended with signal 9"));
}

TEST_F(RoundShowTest, AcceptedUpdateIsShownWithItsNorm) {
  RunThere({"round", "show", "fashion-mnist-k3x9qa"});

  EXPECT_THAT(out(), ContainsRegex("in-lab/gpu-1 +accepted +- +62.5 % +1.235"));
}

TEST_F(RoundShowTest, NormIsANumberInJsonAndOnlyWhereItIsKnown) {
  RunThere({"round", "show", "fashion-mnist-k3x9qa", "-o", "json"});

  const auto participants = OutJson()["participants"];
  ASSERT_EQ(participants.size(), 4U);
  EXPECT_FALSE(participants[0].contains("updateNorm"));
  EXPECT_EQ(participants[2]["updateNorm"], 1.23456);
  EXPECT_FALSE(participants[3].contains("updateNorm"));
}

TEST_F(RoundShowTest, NormThatAnOlderCoordinatorDidNotMeasureIsUnknown) {
  RunThere({"round", "show", "fashion-mnist-k3x9qa"});

  EXPECT_THAT(out(), ContainsRegex("jp-lab/gpu-1 +accepted +- +- +unknown"));
}

TEST_F(RoundShowTest, RefusedUpdateHasItsReasonAndNoBytesThatCameUp) {
  {
    absl::MutexLock lock(&state().mu);
    v1::Participant* const refused = state().rounds.back().add_participants();
    refused->set_worker("br-lab/gpu-1");
    refused->set_state(v1::PARTICIPANT_STATE_REFUSED);
    refused->set_reason("it has 77 bytes");
    refused->set_update_bytes(4321);
  }

  RunThere({"round", "show", "fashion-mnist-k3x9qa"});

  EXPECT_THAT(out(), ContainsRegex("br-lab/gpu-1 +refused .* - +it has 77 bytes"));
}

TEST_F(RoundShowTest, TrainingLossIsNotTakenForTheHeldOutOne) {
  {
    absl::MutexLock lock(&state().mu);
    state().rounds.back().set_training_loss(0.7);
  }

  RunThere({"round", "show", "fashion-mnist-k3x9qa"});

  EXPECT_THAT(out(), AllOf(ContainsRegex("trained +loss 0.7\n"), Not(HasSubstr("held-out"))));
}

TEST_F(RoundShowTest, RoundIsCountedFromOne) {
  EXPECT_EQ(RunThere({"round", "show", "fashion-mnist-k3x9qa", "1", "-o", "json"}), ExitCode::kOk);

  EXPECT_EQ(OutJson()["phase"], "committed");
}

TEST_F(RoundShowTest, RoundZeroIsRefused) {
  EXPECT_EQ(RunThere({"round", "show", "fashion-mnist-k3x9qa", "0"}), ExitCode::kBadInput);
}

TEST_F(RoundShowTest, RoundThatIsNotThereIsNotFound) {
  EXPECT_EQ(RunThere({"round", "show", "fashion-mnist-k3x9qa", "7"}), ExitCode::kNotFound);
}

TEST_F(RoundShowTest, JobBeforeItsFirstRoundIsNotFound) {
  v1::Job job = RunningJob(0);
  job.clear_round();
  SetJobs({job});

  EXPECT_EQ(RunThere({"round", "show", job.id()}), ExitCode::kNotFound);

  EXPECT_THAT(error(), HasSubstr("has no round yet"));
}

}  // namespace
}  // namespace entente::cli
