// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/task_message.h"

#include <gmock/gmock.h>

#include "common/config/proto_time.h"
#include "common/recipe/recipe.h"

namespace entente::engine {
namespace {

const absl::Time kClosesAt = absl::FromUnixSeconds(1'700'000'000);
const WorkerId kAskedWorker("fr-lab/w");

JobDescription Job() {
  JobDescription job{.id = JobId("j"), .submitter = "spiffe://a.example/submitter/s"};
  FillRecipeDefaults(&job.recipe);
  return job;
}

rounds::RoundState Round() {
  rounds::RoundState round;
  round.round_index = 2;
  round.base_model = Sha256Of("base");
  round.model = Sha256Of("next");
  round.closes_at = kClosesAt + absl::Minutes(3);
  return round;
}

TEST(TaskMessageTest, TrainingStartsFromTheBaseAndEvaluationLooksAtTheNextModel) {
  const v1::Task train =
      TaskMessage(Job(), Round(), kAskedWorker, v1::TaskKey::KIND_TRAIN, {}, kClosesAt).task();
  const v1::Task evaluate =
      TaskMessage(Job(), Round(), kAskedWorker, v1::TaskKey::KIND_EVALUATE, {}, kClosesAt).task();

  EXPECT_EQ(train.model_digest(), Sha256Of("base").ToHex());
  EXPECT_EQ(evaluate.model_digest(), Sha256Of("next").ToHex());
  EXPECT_EQ(ToDuration(train.deadline()), absl::Minutes(3));
}

TEST(TaskMessageTest, SeedIsTheSameForEveryAttemptAndDiffersByRoundAndWorker) {
  const auto seed = [](uint32_t round_index, uint32_t attempt, const char* worker) {
    rounds::RoundState round = Round();
    round.round_index = round_index;
    round.attempt = attempt;
    return TaskMessage(Job(), round, WorkerId(worker), v1::TaskKey::KIND_TRAIN, {}, kClosesAt)
        .task()
        .seed();
  };

  EXPECT_EQ(seed(2, 1, "a/w"), seed(2, 2, "a/w"));
  EXPECT_NE(seed(2, 1, "a/w"), seed(3, 1, "a/w"));
  EXPECT_NE(seed(2, 1, "a/w"), seed(2, 1, "b/w"));
}

TEST(TaskMessageTest, EveryTaskIsAChildOfTheJobsTraceAndTheSameWhenAskedAgain) {
  const auto trace = [](uint32_t round_index, const char* worker, v1::TaskKey::Kind kind) {
    rounds::RoundState round = Round();
    round.round_index = round_index;
    const auto message = TaskMessage(Job(), round, WorkerId(worker), kind, {}, kClosesAt);
    return *TraceContext::Parse(message.task().traceparent());
  };

  const TraceContext train = trace(2, "a/w", v1::TaskKey::KIND_TRAIN);

  EXPECT_EQ(train.trace_id(), Job().trace.trace_id());
  EXPECT_EQ(train.ToTraceparent(), trace(2, "a/w", v1::TaskKey::KIND_TRAIN).ToTraceparent());
  EXPECT_NE(train.parent_id(), trace(3, "a/w", v1::TaskKey::KIND_TRAIN).parent_id());
  EXPECT_NE(train.parent_id(), trace(2, "b/w", v1::TaskKey::KIND_TRAIN).parent_id());
  EXPECT_NE(train.parent_id(), trace(2, "a/w", v1::TaskKey::KIND_EVALUATE).parent_id());
}

TEST(TaskMessageTest, PastDeadlineIsZero) {
  const v1::Task task = TaskMessage(Job(), Round(), kAskedWorker, v1::TaskKey::KIND_TRAIN, {},
                                    kClosesAt + absl::Hours(1))
                            .task();

  EXPECT_EQ(ToDuration(task.deadline()), absl::ZeroDuration());
}

TEST(TaskMessageTest, WorkerThatDownloadsTheRoundedCopyIsToldItsDigest) {
  const v1::Task task = TaskMessage(Job(), Round(), kAskedWorker, v1::TaskKey::KIND_TRAIN,
                                    {.rounded_model = Sha256Of("rounded")}, kClosesAt)
                            .task();

  EXPECT_EQ(task.model_digest(), Sha256Of("rounded").ToHex());
}

TEST(TaskMessageTest, RecipeSaysOfUpdatesWhatTheWorkerKnows) {
  JobDescription job = Job();
  job.recipe.mutable_updates()->set_encoding(v1::Updates::ENCODING_TOPK);
  FillRecipeDefaults(&job.recipe);
  job.recipe_digest = RecipeDigest(job.recipe);
  const auto task_with = [&job](const v1::Updates& updates) {
    return TaskMessage(job, Round(), kAskedWorker, v1::TaskKey::KIND_TRAIN, {.updates = updates},
                       kClosesAt)
        .task();
  };
  v1::Updates older;
  older.set_encoding(v1::Updates::ENCODING_FP32);

  const v1::Task task = task_with(older);

  EXPECT_EQ(task.recipe().updates().encoding(), v1::Updates::ENCODING_FP32);
  EXPECT_FALSE(task.recipe().updates().has_topk());
  EXPECT_EQ(task.recipe_digest(), RecipeDigest(task.recipe()).ToHex());
  EXPECT_NE(task.recipe_digest(), job.recipe_digest.ToHex());
  EXPECT_EQ(task_with(job.recipe.updates()).recipe_digest(), job.recipe_digest.ToHex());
}

TEST(TaskMessageTest, WorkerThatDoesNotKnowCheckpointsIsNotToldOfThem) {
  JobDescription job = Job();
  job.recipe.mutable_training()->mutable_checkpoint_every()->set_seconds(30);
  job.recipe_digest = RecipeDigest(job.recipe);
  const auto task_for = [&job](const WorkerTerms& terms) {
    return TaskMessage(job, Round(), kAskedWorker, v1::TaskKey::KIND_TRAIN, terms, kClosesAt)
        .task();
  };

  const v1::Task older = task_for({.updates = job.recipe.updates()});
  EXPECT_FALSE(older.recipe().training().has_checkpoint_every());
  EXPECT_EQ(older.recipe_digest(), RecipeDigest(older.recipe()).ToHex());
  const v1::Task newer = task_for({.updates = job.recipe.updates(), .keeps_checkpoints = true});
  EXPECT_TRUE(newer.recipe().training().has_checkpoint_every());
  EXPECT_EQ(newer.recipe_digest(), job.recipe_digest.ToHex());
}

TEST(TaskMessageTest, TrainingIsToldWhichUpdateCountedLast) {
  const WorkerTerms terms{.counted_update = Sha256Of("update")};
  const auto digest = [&](v1::TaskKey::Kind kind, const WorkerTerms& told) {
    return TaskMessage(Job(), Round(), kAskedWorker, kind, told, kClosesAt)
        .task()
        .counted_update_digest();
  };

  EXPECT_EQ(digest(v1::TaskKey::KIND_TRAIN, terms), Sha256Of("update").ToHex());
  EXPECT_EQ(digest(v1::TaskKey::KIND_TRAIN, {}), "");
  EXPECT_EQ(digest(v1::TaskKey::KIND_EVALUATE, terms), "");
}

TEST(TaskMessageTest, CancellationNamesTheTaskInFull) {
  const v1::TaskCancelled cancelled = TaskCancelledMessage(JobId("j"), {.worker = kAskedWorker,
                                                                        .round_index = 4,
                                                                        .attempt = 2,
                                                                        .evaluates = true,
                                                                        .reason = "late"})
                                          .cancelled();

  EXPECT_EQ(cancelled.key().job_id(), "j");
  EXPECT_EQ(cancelled.key().round_index(), 4U);
  EXPECT_EQ(cancelled.key().attempt(), 2U);
  EXPECT_EQ(cancelled.key().kind(), v1::TaskKey::KIND_EVALUATE);
  EXPECT_EQ(cancelled.reason(), "late");
}

TEST(TaskMessageTest, EndOfAJobNamesItAndItsLastRound) {
  const v1::JobEnded ended = JobEndedMessage(Job(), 4).job_ended();

  EXPECT_EQ(ended.job_id(), "j");
  EXPECT_EQ(ended.round_index(), 4U);
  EXPECT_EQ(ended.traceparent(), Job().trace.ToTraceparent());
}

}  // namespace
}  // namespace entente::engine
