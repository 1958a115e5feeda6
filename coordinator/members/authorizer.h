// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_MEMBERS_AUTHORIZER_H_
#define COORDINATOR_MEMBERS_AUTHORIZER_H_

// What each role may do: one table, printed in docs/operations.md too.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/identity/peer_identity.h"

namespace entente::members {

enum class Action {
  kReadVersion,
  kReadJobs,
  kReadModels,
  kReadMembers,
  kSubmitJob,     // And upload the files of a recipe.
  kCancelOwnJob,  // Submitted under the same SPIFFE id.
  kCancelAnyJob,
  kPauseOwnJob,  // And resume it.
  kPauseAnyJob,
  kBackUp,  // Copy the data directory.
  kWork,    // Attach, download base models, upload updates.
};

// PERMISSION_DENIED naming the caller, its role, the action and the roles that may.
absl::Status Authorize(const PeerIdentity& caller, Action action);

}  // namespace entente::members

#endif  // COORDINATOR_MEMBERS_AUTHORIZER_H_
