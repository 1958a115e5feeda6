// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "common/recipe/recipe.h"
#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class JobShowTest : public CoordinatorFixture {};

TEST_F(JobShowTest, ShowsTheJobAndItsRecipe) {
  v1::Job job = RunningJob(2);
  job.mutable_recipe()->set_name("fashion-mnist");
  job.set_recipe_digest(std::string(64, 'd'));
  SetJobs({job});

  EXPECT_EQ(RunThere({"job", "show", job.id()}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("state      running"), HasSubstr("3/12, 2 committed"),
                           HasSubstr("name: fashion-mnist"), HasSubstr(std::string(64, 'd'))));
}

TEST_F(JobShowTest, JsonIsTheJob) {
  SetJobs({RunningJob(2)});

  EXPECT_EQ(RunThere({"job", "show", "fashion-mnist-k3x9qa", "-o", "json"}), ExitCode::kOk);

  EXPECT_EQ(OutJson()["roundsCommitted"], 2);
}

TEST_F(JobShowTest, UnknownJobIsNotFound) {
  EXPECT_EQ(RunThere({"job", "show", "nobody"}), ExitCode::kNotFound);
}

}  // namespace
}  // namespace entente::cli
