// SPDX-License-Identifier: Apache-2.0
#include "coordinator/members/authorizer.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/support/status_matchers.h"

namespace entente::members {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

PeerIdentity With(Role role) {
  return {.trust_domain = "fr-lab.example", .role = role, .name = "n", .expires_at = {}};
}

TEST(AuthorizerTest, EveryRoleMayExactlyWhatTheTableSays) {
  constexpr Role kRoles[] = {Role::kCoordinator, Role::kWorker, Role::kSubmitter, Role::kOperator,
                             Role::kObserver};
  struct Row {
    Action action;
    std::set<Role> allowed;
  };
  const Row rows[] = {
      {Action::kReadVersion, {Role::kWorker, Role::kSubmitter, Role::kOperator, Role::kObserver}},
      {Action::kReadJobs, {Role::kSubmitter, Role::kOperator, Role::kObserver}},
      {Action::kReadModels, {Role::kSubmitter, Role::kOperator, Role::kObserver}},
      {Action::kReadMembers, {Role::kSubmitter, Role::kOperator, Role::kObserver}},
      {Action::kSubmitJob, {Role::kSubmitter, Role::kOperator}},
      {Action::kCancelOwnJob, {Role::kSubmitter, Role::kOperator}},
      {Action::kCancelAnyJob, {Role::kOperator}},
      {Action::kBackUp, {Role::kOperator}},
      {Action::kWork, {Role::kWorker}},
  };
  for (const Row& row : rows) {
    for (const Role role : kRoles) {
      EXPECT_EQ(Authorize(With(role), row.action).ok(), row.allowed.contains(role))
          << RoleName(role) << " action " << static_cast<int>(row.action);
    }
  }
}

TEST(AuthorizerTest, RefusalNamesCallerRoleActionAndWhoMay) {
  EXPECT_THAT(
      Authorize(With(Role::kObserver), Action::kSubmitJob),
      StatusIs(absl::StatusCode::kPermissionDenied,
               AllOf(HasSubstr("spiffe://fr-lab.example/observer/n"),
                     HasSubstr("may not submit jobs"), HasSubstr("one of: submitter, operator"))));
}

}  // namespace
}  // namespace entente::members
