// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/job_directory.h"

#include <gmock/gmock.h>

#include <memory>

#include "absl/synchronization/notification.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JobDirectoryTest : public EngineTest {
 protected:
  SubmitRequest RequestOf(const v1::Recipe& recipe, const std::string& token) {
    return {.recipe = recipe,
            .submitter = "spiffe://a.example/submitter/s",
            .token = token,
            .initial_model = StoreModel(1, 2)};
  }
};

TEST_F(JobDirectoryTest, SameTokenAndRecipeIsTheSameJob) {
  ASSERT_OK_AND_ASSIGN(const SubmitOutcome first, jobs_->Submit(RequestOf(RecipeOf(1, 1), "t")));
  ASSERT_OK_AND_ASSIGN(const SubmitOutcome second, jobs_->Submit(RequestOf(RecipeOf(1, 1), "t")));

  EXPECT_TRUE(first.created);
  EXPECT_FALSE(second.created);
  EXPECT_EQ(first.job, second.job);
}

TEST_F(JobDirectoryTest, WhoTookPartLatelyIsKnownAfterARestartToo) {
  EXPECT_TRUE(jobs_->RecentParticipants().empty());
  {
    const auto fr = AttachWorker("fr-lab/w");
    const auto kr = AttachWorker("kr-lab/w");
    const auto job = Submit(RecipeOf(2, 1));
    ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());
    ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 1, 0), IsOk());
    WaitFor(*job, [](const JobView& view) { return view.state->rounds_committed == 1; });
    EXPECT_THAT(jobs_->RecentParticipants(),
                ElementsAre(WorkerId("fr-lab/w"), WorkerId("kr-lab/w")));
  }

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());

  EXPECT_THAT(jobs_->RecentParticipants(), ElementsAre(WorkerId("fr-lab/w"), WorkerId("kr-lab/w")));
}

TEST_F(JobDirectoryTest, JournalThatIsOlderThanTheSpoolStopsTheStartAndNothingIsRemoved) {
  const std::string older = folder_.File("older");
  std::string update_path;
  {
    const auto fr = AttachWorker("fr-lab/w");
    const auto kr = AttachWorker("kr-lab/w");
    const auto job = Submit(RecipeOf(2, 2));
    ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());
    ASSERT_THAT(real_journal_->CopyTo(older), IsOk());
    ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 1, 0), IsOk());
    ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(1), 2, 0), IsOk());
    update_path = spool_->PathOf({.job = job->description().id,
                                  .round_index = 1,
                                  .attempt = 1,
                                  .worker = WorkerId("fr-lab/w"),
                                  .digest = Sha256Of(UpdateBytes(2, 0))});
    ASSERT_TRUE(files_.Exists(update_path));
  }
  Shut();
  ASSERT_THAT(files_.Remove(folder_.File("journal.sqlite-wal")), IsOk());
  ASSERT_THAT(files_.Rename(older, folder_.File("journal.sqlite")), IsOk());
  Open();

  EXPECT_THAT(jobs_->Restore(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("the journal ends in round 1 attempt 1 of job test-"),
                             HasSubstr("is of round 2 attempt 1"))));
  EXPECT_TRUE(files_.Exists(update_path));
}

TEST_F(JobDirectoryTest, JobsHaveCaughtUpOnceTheLastOneHas) {
  absl::Notification without_jobs;
  jobs_->WhenCaughtUp([&without_jobs] { without_jobs.Notify(); });
  EXPECT_TRUE(without_jobs.HasBeenNotified());
  const auto slow = Submit(RecipeOf(1, 1));
  const auto quick = Submit(RecipeOf(1, 1));
  const auto go_on = std::make_shared<absl::Notification>();  // Who waits may outlive the test.
  slow->ResumeJob("", [go_on](const absl::Status&) { go_on->WaitForNotification(); });
  absl::Notification caught_up;

  jobs_->WhenCaughtUp([&caught_up] { caught_up.Notify(); });
  absl::Notification quick_is_done;
  quick->WhenCaughtUp([&quick_is_done] { quick_is_done.Notify(); });
  quick_is_done.WaitForNotification();
  EXPECT_FALSE(caught_up.HasBeenNotified());

  go_on->Notify();
  caught_up.WaitForNotification();
}

TEST_F(JobDirectoryTest, SameTokenWithAnotherRecipeIsRefused) {
  ASSERT_THAT(jobs_->Submit(RequestOf(RecipeOf(1, 1), "t")), IsOk());

  EXPECT_THAT(jobs_->Submit(RequestOf(RecipeOf(2, 1), "t")),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("use a new token")));
}

TEST_F(JobDirectoryTest, TokenOfAnotherSubmitterIsAnotherToken) {
  ASSERT_THAT(jobs_->Submit(RequestOf(RecipeOf(1, 1), "t")), IsOk());
  SubmitRequest other = RequestOf(RecipeOf(1, 1), "t");
  other.submitter = "spiffe://b.example/submitter/s";

  ASSERT_OK_AND_ASSIGN(const SubmitOutcome outcome, jobs_->Submit(other));
  EXPECT_TRUE(outcome.created);
}

TEST_F(JobDirectoryTest, TokenIsRememberedThroughARestart) {
  ASSERT_OK_AND_ASSIGN(SubmitOutcome first, jobs_->Submit(RequestOf(RecipeOf(1, 1), "t")));
  const JobId id = first.job->description().id;
  first.job.reset();
  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());

  ASSERT_OK_AND_ASSIGN(const SubmitOutcome again, jobs_->Submit(RequestOf(RecipeOf(1, 1), "t")));
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.job->description().id, id);
}

TEST_F(JobDirectoryTest, TraceOfTheCallIsTheJobsThroughARestart) {
  const TraceContext call =
      *TraceContext::Parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  SubmitRequest request = RequestOf(RecipeOf(1, 1), "t");
  request.trace = call;
  const JobDescription before = jobs_->Submit(request)->job->description();
  EXPECT_EQ(before.trace.trace_id(), call.trace_id());
  EXPECT_NE(before.trace.parent_id(), call.parent_id());

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());

  EXPECT_EQ(jobs_->Find(before.id).value()->description().trace.ToTraceparent(),
            before.trace.ToTraceparent());
}

TEST_F(JobDirectoryTest, JobThatCameWithoutATraceBeginsOneAndKeepsIt) {
  const JobDescription before = jobs_->Submit(RequestOf(RecipeOf(1, 1), "t"))->job->description();
  EXPECT_THAT(TraceContext::Parse(before.trace.ToTraceparent()), IsOk());

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());

  EXPECT_EQ(jobs_->Find(before.id).value()->description().trace.ToTraceparent(),
            before.trace.ToTraceparent());
}

TEST_F(JobDirectoryTest, ModelThatWasNotUploadedIsNamed) {
  SubmitRequest request = RequestOf(RecipeOf(1, 1), "");
  request.initial_model = Sha256Of("nowhere");

  EXPECT_THAT(jobs_->Submit(request),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("the initial model " + Sha256Of("nowhere").ToHex())));
}

TEST_F(JobDirectoryTest, TorchscriptThatWasNotUploadedIsNamed) {
  v1::Recipe recipe = RecipeOf(1, 1);
  recipe.mutable_model()->mutable_torchscript()->set_digest(Sha256Of("nowhere").ToHex());

  EXPECT_THAT(jobs_->Submit(RequestOf(recipe, "")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("model.torchscript")));
}

TEST_F(JobDirectoryTest, BadRecipeIsRefusedWithItsKey) {
  v1::Recipe recipe = RecipeOf(1, 1);
  recipe.mutable_training()->set_batch_size(0);

  EXPECT_THAT(jobs_->Submit(RequestOf(recipe, "")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("training.batchSize")));
}

TEST_F(JobDirectoryTest, MoreJobsThanAllowedAreRefusedWithTheNumber) {
  ASSERT_THAT(jobs_->Submit(RequestOf(RecipeOf(1, 1), "")), IsOk());
  ASSERT_THAT(jobs_->Submit(RequestOf(RecipeOf(1, 1), "")), IsOk());

  EXPECT_THAT(jobs_->Submit(RequestOf(RecipeOf(1, 1), "")),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("2 jobs are running")));
}

TEST_F(JobDirectoryTest, UnknownJobIsNotFound) {
  EXPECT_THAT(jobs_->Find(JobId("x")), StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"x\"")));
}

TEST_F(JobDirectoryTest, EventThatDoesNotFollowIsNamedWithWhatToDo) {
  const auto job = Submit(RecipeOf(1, 1));
  store::JournalEntry entry{
      .job = job->description().id, .sequence = 3, .at = clock_.Now(), .record = {}};
  entry.record.mutable_cancelled()->set_reason("why");
  ASSERT_THAT(journal_->Append(entry), IsOk());
  Restart();

  EXPECT_THAT(jobs_->Restore(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(absl::StrCat("event 3 of job ", entry.job.value())),
                             HasSubstr("comes after event 1"),
                             HasSubstr("put back a copy of the whole data directory"))));
}

TEST_F(JobDirectoryTest, EventThatIsMalformedIsNamed) {
  const auto job = Submit(RecipeOf(1, 1));
  store::JournalEntry entry{
      .job = job->description().id, .sequence = 2, .at = clock_.Now(), .record = {}};
  entry.record.mutable_round()->mutable_update_accepted()->set_digest("short");
  ASSERT_THAT(journal_->Append(entry), IsOk());
  Restart();

  EXPECT_THAT(jobs_->Restore(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(absl::StrCat("event 2 of job ", entry.job.value())),
                             HasSubstr("not 32 bytes"))));
}

TEST_F(JobDirectoryTest, TwoJobsTrainAtTheSameTime) {
  const auto fr = AttachWorker("fr-lab/w");
  ASSERT_OK_AND_ASSIGN(const SubmitOutcome a, jobs_->Submit(RequestOf(RecipeOf(1, 1), "a")));
  ASSERT_OK_AND_ASSIGN(const SubmitOutcome b, jobs_->Submit(RequestOf(RecipeOf(1, 1), "b")));
  const v1::Task first = fr->WaitForTask(0);
  const v1::Task second = fr->WaitForTask(1);

  ASSERT_THAT(Upload("fr-lab/w", second, 1, 1), IsOk());
  ASSERT_THAT(Upload("fr-lab/w", first, 2, 2), IsOk());

  EXPECT_EQ(WaitForEnd(*a.job).state->status, jobs::JobStatus::kCompleted);
  EXPECT_EQ(WaitForEnd(*b.job).state->status, jobs::JobStatus::kCompleted);
}

}  // namespace
}  // namespace entente::engine
