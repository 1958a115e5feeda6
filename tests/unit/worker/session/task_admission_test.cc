// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/support/simulated_clock.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/worker/session/session_examples.h"

namespace entente::worker {
namespace {

using ::testing::HasSubstr;

TEST(CheckTaskTest, ACompleteTaskIsFine) {
  EXPECT_THAT(CheckTask(SomeTask(), SomeDatasets()), IsOk());
}

struct TaskCase {
  const char* name;
  std::function<void(v1::Task*)> break_it;
  const char* message;
};

class BrokenTaskTest : public testing::TestWithParam<TaskCase> {};

TEST_P(BrokenTaskTest, IsRefusedWithTheReason) {
  v1::Task task = SomeTask();
  GetParam().break_it(&task);

  const absl::Status checked = CheckTask(task, SomeDatasets());

  EXPECT_FALSE(checked.ok());
  EXPECT_THAT(std::string(checked.message()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Tasks, BrokenTaskTest,
    testing::Values(
        TaskCase{"job", [](v1::Task* broken) { broken->mutable_key()->set_job_id("../x"); },
                 "job id"},
        TaskCase{"attempt", [](v1::Task* broken) { broken->mutable_key()->set_attempt(0); },
                 "attempt is 0"},
        TaskCase{"kind", [](v1::Task* broken) { broken->mutable_key()->clear_kind(); },
                 "neither to train nor to evaluate"},
        TaskCase{"model", [](v1::Task* broken) { broken->set_model_digest("abc"); },
                 "not a SHA-256"},
        TaskCase{"recipe", [](v1::Task* broken) { broken->clear_recipe(); }, "no recipe"},
        TaskCase{"range", [](v1::Task* broken) { broken->mutable_recipe()->set_rounds(0); },
                 "rounds is 0"},
        TaskCase{"digest", [](v1::Task* broken) { broken->mutable_recipe()->set_rounds(6); },
                 "not the one its digest names"},
        TaskCase{"submitter", [](v1::Task* broken) { broken->clear_submitter(); }, "who submitted"},
        TaskCase{"deadline", [](v1::Task* broken) { broken->clear_deadline(); }, "deadline is 0"},
        TaskCase{"far",
                 [](v1::Task* broken) { broken->mutable_deadline()->set_seconds(1LL << 33); },
                 "at most 90 days"},
        TaskCase{"lease", [](v1::Task* broken) { broken->clear_lease(); },
                 "lease is not over 0 s"}),
    [](const auto& test) { return test.param.name; });

TEST(CheckTaskTest, ADatasetThatIsNotOfferedIsNamedWithThoseThatAre) {
  OfferedDatasets datasets;
  datasets["letters"] = config::v1::Dataset();

  EXPECT_THAT(CheckTask(SomeTask(), datasets),
              StatusIs(absl::StatusCode::kNotFound,
                       "this worker offers no data set \"numbers\"; it offers letters"));
}

TEST(AwayAdmissionTest, WorkerThatIsAwayTakesNoTaskAndSaysSo) {
  const TempFolder folder;
  PosixFileSystem files;
  const OfferedDatasets datasets = SomeDatasets();
  const LocalPolicy policy = LoadPolicy(files, folder.Write("policy.yaml", kOpenPolicy));
  const SystemClock clock;
  std::string away;
  const TaskAdmission admission(
      {.datasets = &datasets, .policy = &policy, .clock = &clock, .away = [&away] {
         return away;
       }});
  EXPECT_FALSE(admission.Refusal(SomeTask()).has_value());

  away = "away until Mon 30 Nov 08:00 UTC: lent";

  const auto refusal = admission.Refusal(SomeTask());
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->reason(), "this worker is away until Mon 30 Nov 08:00 UTC: lent");
  EXPECT_EQ(refusal->rule(), "");
}

class TaskAdmissionTest : public testing::Test {
 protected:
  LocalPolicy Policy(const std::string& rules) {
    return LoadPolicy(files_, folder_.Write("policy.yaml",
                                            "apiVersion: entente/v1\nkind: LocalPolicy\n" + rules));
  }

  TempFolder folder_;
  PosixFileSystem files_;
  SimulatedClock clock_;
  const OfferedDatasets datasets_ = SomeDatasets();
};

TEST_F(TaskAdmissionTest, WhatThePolicyAllowsIsTaken) {
  const LocalPolicy policy = Policy("rules: [{name: all, effect: allow}]\n");
  const TaskAdmission admission({.datasets = &datasets_, .policy = &policy, .clock = &clock_});

  EXPECT_FALSE(admission.Refusal(SomeTask()).has_value());
}

TEST_F(TaskAdmissionTest, ARefusalNamesTheRule) {
  const LocalPolicy policy = Policy(
      "rules: [{name: all, effect: allow}, {name: no-teaching, effect: deny, purposes: "
      "[teach*]}]\n");
  const TaskAdmission admission({.datasets = &datasets_, .policy = &policy, .clock = &clock_});

  const auto refusal = admission.Refusal(SomeTask());

  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->rule(), "no-teaching");
  EXPECT_THAT(refusal->reason(), HasSubstr("no-teaching"));
  EXPECT_EQ(refusal->key().job_id(), "toy-1");
}

TEST_F(TaskAdmissionTest, ABrokenTaskIsRefusedWithoutARule) {
  const LocalPolicy policy = Policy("rules: [{name: all, effect: allow}]\n");
  const TaskAdmission admission({.datasets = &datasets_, .policy = &policy, .clock = &clock_});
  v1::Task task = SomeTask();
  task.clear_submitter();

  const auto refusal = admission.Refusal(task);

  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->rule(), "");
  EXPECT_THAT(refusal->reason(), HasSubstr("who submitted"));
}

TEST_F(TaskAdmissionTest, HoursAreForTheStartOfTrainingAlone) {
  const LocalPolicy policy =
      Policy("rules: [{name: all, effect: allow}]\nlimits: {hours: \"12:01-12:02\"}\n");
  const TaskAdmission admission({.datasets = &datasets_, .policy = &policy, .clock = &clock_});
  v1::Task evaluation = SomeTask();
  evaluation.mutable_key()->set_kind(v1::TaskKey::KIND_EVALUATE);

  EXPECT_THAT(admission.CheckStart(SomeTask()),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("limits.hours")));
  EXPECT_THAT(admission.CheckUpdate(SomeTask(), 100), IsOk());
  EXPECT_THAT(admission.CheckStart(evaluation), IsOk());
}

TEST_F(TaskAdmissionTest, TheUpdatesSizeIsLimited) {
  const LocalPolicy policy =
      Policy("rules: [{name: all, effect: allow}]\nlimits: {updateBytesMax: 100}\n");
  const TaskAdmission admission({.datasets = &datasets_, .policy = &policy, .clock = &clock_});

  EXPECT_THAT(admission.CheckUpdate(SomeTask(), 100), IsOk());
  EXPECT_THAT(admission.CheckUpdate(SomeTask(), 101),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("update_bytes_max")));
}

}  // namespace
}  // namespace entente::worker
