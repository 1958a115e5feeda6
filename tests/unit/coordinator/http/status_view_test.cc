// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/status_view.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/http/http_fixture.h"

namespace entente::dashboard {
namespace {

class StatusViewTest : public DashboardFixture {};

TEST_F(StatusViewTest, FederationHasMembersTheirWorkersAndTheJobsThatRun) {
  AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(3, 1));

  const Json json = FederationJson(Sources());

  EXPECT_EQ(json["version"], "0.1.0-test");
  ASSERT_EQ(json["members"].size(), 2U);
  EXPECT_EQ(json["members"][0]["jurisdiction"], "FR");
  EXPECT_EQ(json["members"][0]["workers"][0]["id"], "fr-lab/w");
  EXPECT_EQ(json["members"][0]["workers"][0]["connected"], true);
  ASSERT_EQ(json["jobs"].size(), 1U);
  EXPECT_EQ(json["jobs"][0]["id"], job->description().id.value());
  EXPECT_FALSE(json["jobs"][0].contains("recipe"));
}

TEST_F(StatusViewTest, FederationSaysHowFarEachWorkerIsWithItsTask) {
  AttachWorker("fr-lab/w");
  workers_->SetActivity(WorkerId("fr-lab/w"), "training circle-abc234 round 3", 40, 200);

  const Json json = FederationJson(Sources());

  const Json& worker = json["members"][0]["workers"][0];
  EXPECT_EQ(worker["activity"], "training circle-abc234 round 3");
  EXPECT_EQ(worker["step"], 40);
  EXPECT_EQ(worker["stepCount"], 200);
}

TEST_F(StatusViewTest, FederationSaysWhyARefusedWorkerIsNotConnected) {
  workers_->NoteRefused(WorkerId("fr-lab/w"), {.reason = "the worker speaks protocol 9.0",
                                               .version = "9.0.0",
                                               .certificate_expires_at = absl::UnixEpoch()});

  const Json json = FederationJson(Sources());

  const Json& worker = json["members"][0]["workers"][0];
  EXPECT_EQ(worker["id"], "fr-lab/w");
  EXPECT_EQ(worker["connected"], false);
  EXPECT_EQ(worker["reason"], "refused: the worker speaks protocol 9.0");
  EXPECT_EQ(worker["version"], "9.0.0");
  EXPECT_TRUE(worker.contains("lastSeenAt"));
}

TEST_F(StatusViewTest, SummaryNamesNobody) {
  AttachWorker("fr-lab/w");
  Submit(RecipeOf(3, 1));

  const Json json = SummaryJson(Sources());

  EXPECT_EQ(json["memberCount"], 2);
  EXPECT_EQ(json["workersConnected"], 1);
  EXPECT_EQ(json["jobs"][0]["roundCount"], 3);
  EXPECT_THAT(json.dump(), ::testing::Not(::testing::HasSubstr("fr-lab")));
}

TEST_F(StatusViewTest, JobHasItsRoundInFlightWithWhatEachWorkerDidSinceWhen) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(3, 1));
  const v1::Task task = fr->WaitForTask(0);
  job->OnProgress(WorkerId("fr-lab/w"), task.key(),
                  {.activity = "training", .step = 4, .step_count = 8, .loss = 0.5});
  WaitFor(*job, [](const engine::JobView& view) { return !view.progress.empty(); });

  ASSERT_OK_AND_ASSIGN(const Json json, JobJson(Sources(), *job));

  const Json& participant = json["job"]["round"]["participants"][0];
  EXPECT_EQ(participant["worker"], "fr-lab/w");
  EXPECT_EQ(participant["step"], 4);
  EXPECT_EQ(participant["activities"][0]["activity"], "training");
  EXPECT_EQ(json["phases"][1]["phase"], "collecting");
  EXPECT_EQ(json["lines"][0]["event"], "opened");
  EXPECT_THAT(json["job"]["recipeYaml"].get<std::string>(), ::testing::HasSubstr("kind: Recipe"));
}

TEST_F(StatusViewTest, EndedJobIsListedWithItsTrail) {
  const auto job = EndedJob();

  const Json json = JobsJson(Sources());

  ASSERT_EQ(json["jobs"].size(), 1U);
  EXPECT_EQ(json["jobs"][0]["state"], "completed");
  ASSERT_EQ(json["jobs"][0]["trail"].size(), 1U);
  EXPECT_TRUE(json["jobs"][0]["trail"][0][0].is_null()) << "nobody evaluated";
  EXPECT_TRUE(json["jobs"][0]["trail"][0][1].is_null());
  EXPECT_TRUE(json["jobs"][0]["trail"][0][2].is_number());
}

TEST_F(StatusViewTest, LinesAreNewestFirstAndFiltered) {
  const auto job = EndedJob();

  ASSERT_OK_AND_ASSIGN(const Json all, LinesJson(Sources(), JobId(), {}, 0));
  ASSERT_OK_AND_ASSIGN(const Json bad, LinesJson(Sources(), job->description().id,
                                                 {.worker = "kr-lab", .bad_only = true}, 0));
  ASSERT_OK_AND_ASSIGN(const Json none, LinesJson(Sources(), JobId("another"), {}, 0));

  EXPECT_EQ(all["lines"].back()["event"], "submitted");
  EXPECT_EQ(all["next"], 0);
  ASSERT_EQ(bad["lines"].size(), 1U);
  EXPECT_EQ(bad["lines"][0]["event"], "update refused");
  EXPECT_TRUE(none["lines"].empty());
}

// The journal has the deadline alone; what it led to is the setback.
TEST_F(StatusViewTest, AbortedAttemptAndFailedJobAreSetbacks) {
  const auto job = FailedJob();

  ASSERT_OK_AND_ASSIGN(const Json bad,
                       LinesJson(Sources(), job->description().id, {.bad_only = true}, 0));

  ASSERT_EQ(bad["lines"].size(), 2U);
  EXPECT_THAT(bad["lines"][0]["sentence"].get<std::string>(),
              ::testing::StartsWith("the time of the phase was over; the job has failed: round 1"));
  EXPECT_THAT(bad["lines"][1]["sentence"].get<std::string>(),
              ::testing::StartsWith("the time of the phase was over; attempt 1 was aborted: "));
  EXPECT_EQ(bad["lines"][1]["event"], "deadline checked");
  EXPECT_EQ(bad["lines"][1]["tone"], "bad");
}

}  // namespace
}  // namespace entente::dashboard
