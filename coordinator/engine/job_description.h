// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_JOB_DESCRIPTION_H_
#define COORDINATOR_ENGINE_JOB_DESCRIPTION_H_

#include <string>

#include "common/base/strong_id.h"
#include "common/base/trace_context.h"
#include "common/crypto/sha256.h"
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

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_JOB_DESCRIPTION_H_
