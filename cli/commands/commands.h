// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_COMMANDS_COMMANDS_H_
#define CLI_COMMANDS_COMMANDS_H_

// Every command of `entente`: each function adds one verb to its noun (or to the program). A
// command runs after the whole command line was found right, with `invocation` as its only
// surroundings.

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/commands/verb.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"

namespace entente::cli {

void AddJobSubmit(CLI::App& job, Invocation& invocation);
void AddJobList(CLI::App& job, Invocation& invocation);
void AddJobShow(CLI::App& job, Invocation& invocation);
void AddJobWatch(CLI::App& job, Invocation& invocation);
void AddJobPause(CLI::App& job, Invocation& invocation);
void AddJobResume(CLI::App& job, Invocation& invocation);
void AddJobCancel(CLI::App& job, Invocation& invocation);
void AddRoundList(CLI::App& round, Invocation& invocation);
void AddRoundShow(CLI::App& round, Invocation& invocation);
void AddModelList(CLI::App& model, Invocation& invocation);
void AddModelPull(CLI::App& model, Invocation& invocation);
void AddModelInspect(CLI::App& model, Invocation& invocation);
void AddMemberList(CLI::App& member, Invocation& invocation);
void AddMemberShow(CLI::App& member, Invocation& invocation);
void AddPkiInit(CLI::App& pki, Invocation& invocation);
void AddPkiIssue(CLI::App& pki, Invocation& invocation);
void AddPkiShow(CLI::App& pki, Invocation& invocation);
void AddContextList(CLI::App& context, Invocation& invocation);
void AddContextUse(CLI::App& context, Invocation& invocation);
void AddContextSet(CLI::App& context, Invocation& invocation);
void AddContextShow(CLI::App& context, Invocation& invocation);
void AddAdminBackup(CLI::App& admin, Invocation& invocation);
void AddDoctor(CLI::App& app, Invocation& invocation);
void AddTop(CLI::App& app, Invocation& invocation);
void AddVersion(CLI::App& app, Invocation& invocation);

// Adds a verb that does `run`. What `run` holds must live as long as it does: `invocation` by
// reference, the verb's own arguments by shared pointer.
Verb AddVerb(CLI::App& noun, const std::string& name, const std::string& description,
             Invocation& invocation, std::function<absl::StatusOr<ExitCode>()> run);

}  // namespace entente::cli

#endif  // CLI_COMMANDS_COMMANDS_H_
