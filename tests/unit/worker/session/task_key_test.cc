// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace entente::worker {
namespace {

v1::TaskKey Key(const std::string& job, uint32_t round, uint32_t attempt, v1::TaskKey::Kind kind) {
  v1::TaskKey key;
  key.set_job_id(job);
  key.set_round_index(round);
  key.set_attempt(attempt);
  key.set_kind(kind);
  return key;
}

TEST(TaskKeyTest, EveryPartTellsTasksApart) {
  const v1::TaskKey key = Key("a", 1, 1, v1::TaskKey::KIND_TRAIN);

  EXPECT_TRUE(SameTask(key, Key("a", 1, 1, v1::TaskKey::KIND_TRAIN)));
  for (const v1::TaskKey& other :
       {Key("b", 1, 1, v1::TaskKey::KIND_TRAIN), Key("a", 2, 1, v1::TaskKey::KIND_TRAIN),
        Key("a", 1, 1, v1::TaskKey::KIND_EVALUATE)}) {
    EXPECT_FALSE(SameTask(key, other));
    EXPECT_NE(TaskFileStem(key), TaskFileStem(other));
  }
}

TEST(TaskKeyTest, AttemptsOfARoundAreDifferentTasksWithTheSameFiles) {
  const v1::TaskKey first = Key("a", 1, 1, v1::TaskKey::KIND_TRAIN);
  const v1::TaskKey second = Key("a", 1, 2, v1::TaskKey::KIND_TRAIN);

  EXPECT_FALSE(SameTask(first, second));
  EXPECT_EQ(TaskFileStem(first), TaskFileStem(second));
  EXPECT_EQ(TaskFileStem(first).rfind(JobFileStem("a"), 0), 0U);
  EXPECT_NE(JobFileStem("a"), JobFileStem("b"));
}

TEST(TaskKeyTest, CheckpointBelongsToOneTrainingAndIsFoundByItsTask) {
  v1::Task task;
  *task.mutable_key() = Key("a", 1, 1, v1::TaskKey::KIND_TRAIN);
  task.set_model_digest("m");
  task.set_recipe_digest("r");
  task.set_seed(5);
  const std::string name = CheckpointName(task);
  EXPECT_EQ(name.rfind(TaskFileStem(task.key()) + "-", 0), 0U);

  v1::Task model = task;
  model.set_model_digest("other");
  v1::Task recipe = task;
  recipe.set_recipe_digest("other");
  v1::Task seed = task;
  seed.set_seed(6);
  for (const v1::Task& other : {model, recipe, seed}) EXPECT_NE(CheckpointName(other), name);
}

TEST(TaskKeyTest, PeopleCountRoundsFromOne) {
  EXPECT_EQ(TaskText(Key("toy-1", 0, 1, v1::TaskKey::KIND_TRAIN)), "train toy-1 round 1");
  EXPECT_EQ(TaskText(Key("toy-1", 4, 2, v1::TaskKey::KIND_EVALUATE)),
            "evaluate toy-1 round 5 attempt 2");
}

TEST(TaskKeyTest, AHostileJobNameMakesAHarmlessFileName) {
  EXPECT_THAT(TaskFileStem(Key("../../etc/passwd", 0, 1, v1::TaskKey::KIND_TRAIN)),
              testing::MatchesRegex("[0-9a-f]+"));
}

}  // namespace
}  // namespace entente::worker
