// SPDX-License-Identifier: Apache-2.0
// entente member list: every worker of every member, and members without one.

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands/commands.h"
#include "cli/job_text.h"
#include "cli/member_text.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"

namespace entente::cli {
namespace {

std::string MembersTable(const v1::ListMembersResponse& response, absl::Time now) {
  if (response.members().empty()) return "no members\n";
  Table table({"MEMBER", "", "WORKER", "CONNECTED", "DATASETS", "ACTIVITY", "SANDBOX", "LAST SEEN",
               "VERSION"});
  for (const v1::Member& member : response.members()) {
    if (member.workers().empty()) {
      table.AddRow({member.id(), member.jurisdiction(), "", "no worker yet"});
    }
    for (const v1::Worker& worker : member.workers()) {
      table.AddRow({member.id(), member.jurisdiction(), WorkerName(worker),
                    worker.connected() ? "yes" : "no", absl::StrJoin(worker.datasets(), ","),
                    ActivityText(worker), SandboxText(worker), LastSeenText(worker, now),
                    worker.version()});
    }
  }
  return table.Text();
}

absl::StatusOr<ExitCode> RunMemberList(const Invocation& invocation) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  ENTENTE_ASSIGN_OR_RETURN(const v1::ListMembersResponse response, client->ListMembers());
  invocation.output().Print(JsonWithList(response, "members"),
                            MembersTable(response, invocation.Now()));
  return ExitCode::kOk;
}

}  // namespace

void AddMemberList(CLI::App& member, Invocation& invocation) {
  AddVerb(member, "list", "All members and their workers", invocation,
          [&invocation] { return RunMemberList(invocation); });
}

}  // namespace entente::cli
