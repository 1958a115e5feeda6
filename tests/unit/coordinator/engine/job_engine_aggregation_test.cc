// SPDX-License-Identifier: Apache-2.0
// JobEngine's aggregation; what it computes is aggregation_run_test's.

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kTrainer[] = "fr-lab/w";

class JobEngineAggregationTest : public EngineTest {
 protected:
  bool HasTemporaryFiles() {
    const std::vector<std::string> names = files_.ListFiles(folder_.File("models")).value();
    for (const std::string& name : names) {
      if (name.rfind("tmp-", 0) == 0) return true;
    }
    return false;
  }
};

TEST_F(JobEngineAggregationTest, DiskThatIsFullInPassingCostsNoAttempt) {
  const auto worker = AttachWorker(kTrainer);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = worker->WaitForTask(0);
  files_.FailWrites("/tmp-", 2);

  ASSERT_THAT(Upload(kTrainer, task, 1, 1), IsOk());
  const JobView view = WaitForEnd(*job);

  EXPECT_EQ(view.state->status, jobs::JobStatus::kCompleted);
  ASSERT_EQ(job->Rounds().size(), 1U);
  EXPECT_EQ(job->Rounds()[0]->attempt, 1U);
  EXPECT_THAT(ModelValues(view.state->model), ElementsAre(2, 3));
  EXPECT_FALSE(HasTemporaryFiles());
}

TEST_F(JobEngineAggregationTest, DiskThatStaysFullAbortsTheAttemptAndSaysWhy) {
  v1::Recipe recipe = RecipeOf(1, 1);
  recipe.mutable_pacing()->set_attempts(1);
  const auto worker = AttachWorker(kTrainer);
  const auto job = Submit(recipe);
  const v1::Task task = worker->WaitForTask(0);
  files_.FailWrites("/tmp-", 1000);

  ASSERT_THAT(Upload(kTrainer, task, 1, 1), IsOk());
  const JobView view = WaitForEnd(*job);

  EXPECT_EQ(view.state->status, jobs::JobStatus::kFailed);
  EXPECT_THAT(view.state->reason, HasSubstr("No space left on device"));
  EXPECT_FALSE(HasTemporaryFiles());
}

TEST_F(JobEngineAggregationTest, CancellingEndsTheTries) {
  const auto worker = AttachWorker(kTrainer);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = worker->WaitForTask(0);
  files_.FailWrites("/tmp-", 1);
  ASSERT_THAT(Upload(kTrainer, task, 1, 1), IsOk());

  job->Cancel("enough", [](absl::Status) {});
  const JobView view = WaitForEnd(*job);

  EXPECT_NE(view.state->status, jobs::JobStatus::kFailed);
}

}  // namespace
}  // namespace entente::engine
