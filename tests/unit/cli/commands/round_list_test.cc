// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class RoundListTest : public CoordinatorFixture {};

TEST_F(RoundListTest, RoundsAreCountedFromOne) {
  {
    absl::MutexLock lock(&state().mu);
    state().rounds = {CommittedRound(0, 0.9, 0.5), CommittedRound(1, 0.6, 0.7)};
  }

  EXPECT_EQ(RunThere({"round", "list", "x"}), ExitCode::kOk);
  EXPECT_THAT(
      out(),
      HasSubstr("\n2      1        committed  5 (3 needed)  -              0.6            70.0 %"));

  EXPECT_EQ(RunThere({"round", "list", "x", "-o", "json"}), ExitCode::kOk);
  EXPECT_EQ(OutJson()["rounds"].size(), 2u);
}

TEST_F(RoundListTest, TrainingLossIsNotTakenForTheHeldOutOne) {
  v1::Round only_trained = CommittedRound(0, 0.9, 0.5);
  only_trained.set_training_loss(0.7);
  only_trained.clear_evaluation();
  {
    absl::MutexLock lock(&state().mu);
    state().rounds = {only_trained};
  }

  EXPECT_EQ(RunThere({"round", "list", "x"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("TRAINING LOSS  HELD-OUT LOSS  ACCURACY"),
                           HasSubstr("(3 needed)  0.7            -              -")));
}

TEST_F(RoundListTest, RoundThatIsNotOpenYetTakesNoTime) {
  {
    absl::MutexLock lock(&state().mu);
    v1::Round planned;
    planned.set_attempt(1);
    planned.set_phase(v1::ROUND_PHASE_PLANNED);
    state().rounds = {planned};
  }

  EXPECT_EQ(RunThere({"round", "list", "x"}), ExitCode::kOk);
  EXPECT_THAT(out(), AllOf(HasSubstr("planned"), Not(HasSubstr(" d "))));
}

TEST_F(RoundListTest, NoRoundsYetIsSaid) {
  EXPECT_EQ(RunThere({"round", "list", "x"}), ExitCode::kOk);

  EXPECT_EQ(out(), "no rounds yet\n");
}

}  // namespace
}  // namespace entente::cli
