// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_JOB_DESCRIPTION_H_
#define COORDINATOR_ENGINE_JOB_DESCRIPTION_H_

#include <string>

#include "common/base/strong_id.h"
#include "common/base/trace_context.h"
#include "common/crypto/sha256.h"
#include "entente/storage/v1/journal.pb.h"
#include "entente/v1/recipe.pb.h"

namespace entente::engine {

// What never changes about a job.
struct JobDescription {
  JobId id;
  v1::Recipe recipe;  // Complete and checked.
  Digest recipe_digest;
  std::string submitter;                         // SPIFFE id.
  std::string token;                             // May be empty.
  TraceContext trace = TraceContext::Named("");  // Of the request that submitted it.
};

// How the journal keeps it, and the model that the job begins with.
storage::v1::JobSubmitted ToRecord(const JobDescription& job, const Digest& initial_model);

// The description that was journalled. A record of before there were traces gives the job one that
// is named after it, the same at every start.
JobDescription FromRecord(const JobId& id, const storage::v1::JobSubmitted& record);

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_JOB_DESCRIPTION_H_
