// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_WORKER_SESSION_SESSION_EXAMPLES_H_
#define TESTS_UNIT_WORKER_SESSION_SESSION_EXAMPLES_H_

// A recipe, a task and a model to play with.

#include <string>
#include <vector>

#include "common/base/file_system.h"
#include "common/config/proto_time.h"
#include "common/crypto/sha256.h"
#include "common/recipe/recipe.h"
#include "common/tensor/safetensors.h"
#include "tests/support/status_matchers.h"
#include "worker/session/task_admission.h"

namespace entente::worker {

inline constexpr char kRecipe[] = R"(apiVersion: entente/v1
kind: Recipe
name: toy
purpose: teaching
dataset: numbers
model: {builtin: {architecture: mlp, inputShape: [2], outputs: 3}}
task: classification
rounds: 5
)";

inline constexpr char kOpenPolicy[] = R"(apiVersion: entente/v1
kind: LocalPolicy
rules: [{name: all, effect: allow}]
)";

inline v1::Recipe SomeRecipe(const std::string& more = "") {
  auto recipe = ParseRecipe(std::string(kRecipe) + more, "recipe.yaml");
  EXPECT_THAT(recipe, IsOk());
  return *recipe;
}

inline v1::Task SomeTask(const std::string& model_digest = Sha256Of("model").ToHex(),
                         const v1::Recipe& recipe = SomeRecipe()) {
  v1::Task task;
  task.mutable_key()->set_job_id("toy-1");
  task.mutable_key()->set_round_index(2);
  task.mutable_key()->set_attempt(1);
  task.mutable_key()->set_kind(v1::TaskKey::KIND_TRAIN);
  task.set_model_digest(model_digest);
  *task.mutable_recipe() = recipe;
  task.set_recipe_digest(RecipeDigest(recipe).ToHex());
  task.set_submitter("spiffe://alliance.example/submitter/anna");
  task.set_seed(7);
  *task.mutable_deadline() = ToProto(absl::Minutes(10));
  *task.mutable_lease() = ToProto(absl::Seconds(30));
  return task;
}

inline OfferedDatasets SomeDatasets() {
  config::v1::Dataset dataset;
  dataset.set_name("numbers");
  dataset.set_format(config::v1::Dataset::FORMAT_CSV);
  dataset.set_directory("/srv/numbers");
  return {{"numbers", dataset}};
}

inline LocalPolicy LoadPolicy(FileSystem& files, const std::string& path) {
  auto policy = LocalPolicy::Load(files, path);
  EXPECT_THAT(policy, IsOk());
  return *std::move(policy);
}

// Writes a file with one F32 tensor "w" and returns its digest.
inline Digest WriteTensors(FileSystem& files, const std::string& path,
                           const std::vector<float>& values) {
  auto layout = Layout::Create({{.name = "w", .dtype = Dtype::kF32, .shape = {values.size()}}});
  EXPECT_THAT(layout, IsOk());
  auto writer = SafetensorsWriter::Create(files, path, *layout);
  EXPECT_THAT(writer, IsOk());
  const absl::string_view bytes(reinterpret_cast<const char*>(values.data()),
                                values.size() * sizeof(float));
  EXPECT_THAT((*writer)->WriteAt(0, 0, bytes), IsOk());
  EXPECT_THAT((*writer)->Finish(), IsOk());
  const auto digest = Sha256OfFile(files, path);
  EXPECT_THAT(digest, IsOk());
  return *digest;
}

}  // namespace entente::worker

#endif  // TESTS_UNIT_WORKER_SESSION_SESSION_EXAMPLES_H_
