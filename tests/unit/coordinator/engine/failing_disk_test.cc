// SPDX-License-Identifier: Apache-2.0
// One job, run again and again, each time with another write, sync, rename or removal failing, or
// the disk full from another one on: in the journal, the spool and the model store alike.

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

using Failure = FaultyFileSystem::Failure;

constexpr char kId[] = "fr-lab/w";

// A coordinator's data directory, through as many starts as the job needs.
class JobOnAFailingDisk : public EngineTest {
 public:
  JobOnAFailingDisk() : model_(StoreModel(1, 2)) {}
  ~JobOnAFailingDisk() override { job_.reset(); }

  // Runs the job to its end while the k-th change fails; false if so many changes never came.
  bool Run(int64_t k, Failure failure) {
    files_.FailChange(k, failure);
    LiveOnce();
    const bool has_failed = files_.Heal();
    for (int starts = 0; !HasEnded() && starts < 3; ++starts) {
      job_.reset();
      Restart();
      EXPECT_THAT(jobs_->Restore(), IsOk());
      LiveOnce();
    }
    ExpectTheRightEnd();
    return has_failed;
  }

 private:
  void TestBody() override {}

  bool HasEnded() const { return job_ != nullptr && job_->View().state->HasEnded(); }

  // Everything that the job still needs, until it has ended or the disk has failed.
  void LiveOnce() {
    if (!Submit()) return;
    const auto worker = AttachWorker(kId);
    AwaitOr([&] { return worker->task_count() > 0 || HasEnded(); });
    if (!HasEnded() && worker->task_count() > 0) {
      const absl::Status status = Upload(kId, worker->WaitForTask(0), 3, 4);
      ExpectNamed(status);
      was_acknowledged_ = was_acknowledged_ || status.ok();
    }
    AwaitOr([&] { return HasEnded(); });
    // The last change of all: it comes when nobody waits for it any more.
    AwaitOr([&] { return !files_.Exists(FolderOfAttempt()); });
  }

  std::string FolderOfAttempt() const {
    return folder_.File(absl::StrCat("spool/", job_->description().id.value(), "/0-1"));
  }

  // The token makes it the same job each time.
  bool Submit() {
    const auto outcome = jobs_->Submit({.recipe = RecipeOf(1, 1),
                                        .submitter = "spiffe://alliance.example/submitter/test",
                                        .token = "t",
                                        .initial_model = model_});
    ExpectNamed(outcome.status());
    if (!outcome.ok()) return false;
    job_ = outcome->job;
    return true;
  }

  static void ExpectNamed(const absl::Status& status) {
    if (status.ok()) return;
    EXPECT_TRUE(absl::IsUnavailable(status) || absl::IsFailedPrecondition(status) ||
                absl::IsResourceExhausted(status))
        << status;
    EXPECT_THAT(std::string(status.message()), Not(IsEmpty()));
  }

  // Waits for `done`, or for the disk to fail; a minute at most.
  template <typename Done>
  void AwaitOr(Done done) {
    for (int i = 0; i < 60'000 && !done() && !files_.HasFailed(); ++i) {
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

  void ExpectTheRightEnd() {
    ASSERT_TRUE(HasEnded());
    const JobView view = job_->View();
    EXPECT_EQ(view.state->status, jobs::JobStatus::kCompleted) << view.state->reason;
    EXPECT_THAT(ModelValues(view.state->model), ElementsAre(4, 6));
    if (!was_acknowledged_) return;
    const auto rounds = job_->Rounds();
    ASSERT_EQ(rounds.size(), 1U) << "what was acknowledged needs no second attempt";
    const auto& participant = rounds[0]->participants.at(WorkerId(kId));
    EXPECT_EQ(participant.state, rounds::ParticipantState::kAccepted);
    EXPECT_EQ(participant.update.digest, Sha256Of(UpdateBytes(3, 4)));
  }

  const Digest model_;
  std::shared_ptr<JobEngine> job_;
  bool was_acknowledged_ = false;
};

class FailingDiskTest : public ::testing::TestWithParam<Failure> {};

TEST_P(FailingDiskTest, WhicheverChangeFailsTheJobEndsAsIfNoneHad) {
  int64_t k = 1;
  for (bool has_failed = true; has_failed; ++k) {
    SCOPED_TRACE(absl::StrCat("change ", k, " fails"));
    JobOnAFailingDisk disk;
    has_failed = disk.Run(k, GetParam());
    if (HasFailure()) return;
  }
  EXPECT_GT(k, GetParam() == Failure::kFull ? 8 : 30) << "a job of one round makes 34 changes";
}

INSTANTIATE_TEST_SUITE_P(EachFailure, FailingDiskTest,
                         ::testing::Values(Failure::kOnce, Failure::kForGood, Failure::kFull),
                         [](const auto& failure) {
                           return failure.param == Failure::kOnce      ? "Once"
                                  : failure.param == Failure::kForGood ? "ForGood"
                                                                       : "Full";
                         });

}  // namespace
}  // namespace entente::engine
