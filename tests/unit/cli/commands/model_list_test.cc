// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ModelListTest : public CoordinatorFixture {
 protected:
  ModelListTest() {
    absl::MutexLock lock(&state().mu);
    for (const char* job : {"a-1", "b-2"}) {
      v1::StoredModel model;
      model.set_digest(std::string(64, job[0]));
      model.set_job_id(job);
      model.set_rounds_committed(3);
      model.set_total_bytes(2048);
      state().models.push_back(model);
    }
  }
};

TEST_F(ModelListTest, ListsTheModelsOfAllJobs) {
  EXPECT_EQ(RunThere({"model", "list"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("aaaaaaaaaaaa  a-1  3       2.0 KiB"), HasSubstr("b-2")));
}

TEST_F(ModelListTest, ListsTheModelsOfOneJob) {
  EXPECT_EQ(RunThere({"model", "list", "--job", "b-2", "-o", "json"}), ExitCode::kOk);

  ASSERT_EQ(OutJson()["models"].size(), 1u);
  EXPECT_EQ(OutJson()["models"][0]["jobId"], "b-2");
}

}  // namespace
}  // namespace entente::cli
