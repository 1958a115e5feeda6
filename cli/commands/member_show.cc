// SPDX-License-Identifier: Apache-2.0
// entente member show ID: one member and its workers in full.

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands/commands.h"
#include "cli/member_text.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"
#include "common/config/away_text.h"
#include "common/config/proto_time.h"

namespace entente::cli {
namespace {

std::string WorkerText(const v1::Worker& worker, absl::Time now) {
  const bool is_unsafe = worker.sandbox() == "none";
  return absl::StrCat(
      "\n",
      Fields({{"worker", worker.id()},
              {"connected", worker.connected() ? "yes" : absl::StrCat("no: ", worker.reason())},
              {"activity", worker.activity()},
              {"away", worker.has_away() ? AwayText(worker.away()) : ""},
              {"datasets", absl::StrJoin(worker.datasets(), ", ")},
              {"sandbox", absl::StrCat(SandboxText(worker),
                                       is_unsafe ? " nothing but trust keeps its trainer from the "
                                                   "network"
                                                 : "")},
              {"last seen", LastSeenText(worker, now)},
              {"version", worker.version()},
              {"protocol", worker.protocol()},
              {"certificate",
               worker.has_certificate_expires_at()
                   ? absl::StrCat("expires ", TimeText(ToTime(worker.certificate_expires_at())))
                   : ""},
              {"bytes", absl::StrCat(BytesText(worker.bytes_up()), " up, ",
                                     BytesText(worker.bytes_down()), " down")}}));
}

std::string MemberText(const v1::Member& member, absl::Time now) {
  std::string text = Fields({{"member", member.id()},
                             {"name", member.display_name()},
                             {"jurisdiction", member.jurisdiction()},
                             {"trust domain", member.trust_domain()},
                             {"workers", absl::StrCat(member.workers_size())}});
  for (const v1::Worker& worker : member.workers()) {
    absl::StrAppend(&text, WorkerText(worker, now));
  }
  return text;
}

absl::StatusOr<ExitCode> RunMemberShow(const Invocation& invocation, const std::string& member_id) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  ENTENTE_ASSIGN_OR_RETURN(const v1::Member member, client->GetMember(member_id));
  invocation.output().Print(JsonWithList(member, "workers"), MemberText(member, invocation.Now()));
  return ExitCode::kOk;
}

}  // namespace

void AddMemberShow(CLI::App& member, Invocation& invocation) {
  const auto member_id = std::make_shared<std::string>();
  Verb verb = AddVerb(member, "show", "One member and its workers", invocation,
                      [&invocation, member_id] { return RunMemberShow(invocation, *member_id); });
  verb.Required("MEMBER", *member_id, "The member's id");
}

}  // namespace entente::cli
