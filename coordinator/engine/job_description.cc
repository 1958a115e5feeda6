// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/job_description.h"

#include "common/recipe/recipe.h"

namespace entente::engine {

storage::v1::JobSubmitted ToRecord(const JobDescription& job, const Digest& initial_model) {
  storage::v1::JobSubmitted record;
  *record.mutable_recipe() = job.recipe;
  record.set_submitter(job.submitter);
  record.set_token(job.token);
  record.set_initial_model(initial_model.Raw());
  record.set_traceparent(job.trace.ToTraceparent());
  return record;
}

JobDescription FromRecord(const JobId& id, const storage::v1::JobSubmitted& record) {
  return {.id = id,
          .recipe = record.recipe(),
          .recipe_digest = RecipeDigest(record.recipe()),
          .submitter = record.submitter(),
          .token = record.token(),
          .trace = TraceOf(record.traceparent(), id.value())};
}

}  // namespace entente::engine
