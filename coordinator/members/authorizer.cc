// SPDX-License-Identifier: Apache-2.0
#include "coordinator/members/authorizer.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/check.h"

namespace entente::members {
namespace {

struct Grant {
  Action action;
  absl::string_view name;
  std::vector<Role> roles;
};

const Grant& GrantOf(Action action) {
  static const auto* const grants = new std::vector<Grant>{
      {Action::kReadVersion,
       "read the version",
       {Role::kWorker, Role::kSubmitter, Role::kOperator, Role::kObserver}},
      {Action::kReadJobs, "read jobs", {Role::kSubmitter, Role::kOperator, Role::kObserver}},
      {Action::kReadModels, "read models", {Role::kSubmitter, Role::kOperator, Role::kObserver}},
      {Action::kReadMembers, "read members", {Role::kSubmitter, Role::kOperator, Role::kObserver}},
      {Action::kSubmitJob, "submit jobs", {Role::kSubmitter, Role::kOperator}},
      {Action::kCancelOwnJob, "cancel its own jobs", {Role::kSubmitter, Role::kOperator}},
      {Action::kCancelAnyJob, "cancel others' jobs", {Role::kOperator}},
      {Action::kPauseOwnJob, "pause its own jobs", {Role::kSubmitter, Role::kOperator}},
      {Action::kPauseAnyJob, "pause others' jobs", {Role::kOperator}},
      {Action::kBackUp, "take a backup", {Role::kOperator}},
      {Action::kWork, "take part in rounds", {Role::kWorker}},
  };
  const auto it = std::find_if(grants->begin(), grants->end(),
                               [action](const Grant& grant) { return grant.action == action; });
  ENTENTE_CHECK(it != grants->end());
  return *it;
}

}  // namespace

absl::Status Authorize(const PeerIdentity& caller, Action action) {
  const Grant& grant = GrantOf(action);
  if (std::find(grant.roles.begin(), grant.roles.end(), caller.role) != grant.roles.end()) {
    return absl::OkStatus();
  }
  const std::string roles = absl::StrJoin(
      grant.roles, ", ", [](std::string* out, Role role) { absl::StrAppend(out, RoleName(role)); });
  return absl::PermissionDeniedError(
      absl::StrCat(caller.SpiffeId(), " has the role ", RoleName(caller.role), ", which may not ",
                   grant.name, "; use a certificate with one of: ", roles));
}

}  // namespace entente::members
