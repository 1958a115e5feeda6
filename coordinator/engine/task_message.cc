// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/task_message.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/random_source.h"
#include "common/config/proto_time.h"
#include "common/recipe/recipe.h"
#include "google/protobuf/util/message_differencer.h"

namespace entente::engine {
namespace {

// A worker refuses a recipe with a word that it does not know. What is left out here changes how
// models and updates travel or how long a restart takes it, not what the job is after.
void AdaptRecipe(const WorkerTerms& terms, v1::Recipe* recipe) {
  *recipe->mutable_updates() = terms.updates;
  if (!terms.keeps_checkpoints && recipe->has_training()) {
    recipe->mutable_training()->clear_checkpoint_every();
  }
}

}  // namespace

v1::CoordinatorMessage TaskMessage(const JobDescription& job, const rounds::RoundState& round,
                                   const WorkerId& worker, v1::TaskKey::Kind kind,
                                   const WorkerTerms& terms, absl::Time now) {
  v1::CoordinatorMessage message;
  v1::Task* const task = message.mutable_task();
  task->mutable_key()->set_job_id(job.id.value());
  task->mutable_key()->set_round_index(round.round_index);
  task->mutable_key()->set_attempt(round.attempt);
  task->mutable_key()->set_kind(kind);
  const bool trains = kind == v1::TaskKey::KIND_TRAIN;
  const Digest& model = trains ? round.base_model : round.model;
  task->set_model_digest((terms.rounded_model.IsNone() ? model : terms.rounded_model).ToHex());
  *task->mutable_recipe() = job.recipe;
  AdaptRecipe(terms, task->mutable_recipe());
  const bool is_the_jobs =
      google::protobuf::util::MessageDifferencer::Equals(task->recipe(), job.recipe);
  task->set_recipe_digest((is_the_jobs ? job.recipe_digest : RecipeDigest(task->recipe())).ToHex());
  task->set_submitter(job.submitter);
  task->set_seed(DeriveSeed(job.recipe.training().seed(),
                            absl::StrCat("round ", round.round_index, " of ", worker.value())));
  *task->mutable_deadline() = ToProto(std::max(absl::ZeroDuration(), round.closes_at - now));
  *task->mutable_lease() = job.recipe.pacing().lease();
  if (trains && !terms.counted_update.IsNone()) {
    task->set_counted_update_digest(terms.counted_update.ToHex());
  }
  const std::string work = absl::StrCat(trains ? "train" : "evaluate", " ", round.round_index, " ",
                                        round.attempt, " ", worker.value());
  task->set_traceparent(job.trace.Child(work).ToTraceparent());
  return message;
}

v1::CoordinatorMessage TaskCancelledMessage(const JobId& job, const rounds::CancelTask& cancel) {
  v1::CoordinatorMessage message;
  v1::TaskKey* const key = message.mutable_cancelled()->mutable_key();
  key->set_job_id(job.value());
  key->set_round_index(cancel.round_index);
  key->set_attempt(cancel.attempt);
  key->set_kind(cancel.evaluates ? v1::TaskKey::KIND_EVALUATE : v1::TaskKey::KIND_TRAIN);
  message.mutable_cancelled()->set_reason(cancel.reason);
  return message;
}

v1::CoordinatorMessage JobEndedMessage(const JobDescription& job, uint32_t round_index) {
  v1::CoordinatorMessage message;
  v1::JobEnded* const ended = message.mutable_job_ended();
  ended->set_job_id(job.id.value());
  ended->set_round_index(round_index);
  ended->set_traceparent(job.trace.ToTraceparent());
  return message;
}

}  // namespace entente::engine
