// SPDX-License-Identifier: Apache-2.0
// entente context list: what there is to choose from.

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"

namespace entente::cli {
namespace {

std::string ContextsTable(const config::v1::Contexts& contexts, const std::string& path) {
  if (contexts.contexts().empty()) return absl::StrCat("no contexts in ", path, "\n");
  Table table({"CURRENT", "NAME", "COORDINATOR", "CERTIFICATE"});
  for (const config::v1::Context& context : contexts.contexts()) {
    table.AddRow({context.name() == contexts.current_context() ? "*" : " ", context.name(),
                  context.coordinator(), context.tls().certificate()});
  }
  return table.Text();
}

absl::StatusOr<ExitCode> RunContextList(const Invocation& invocation) {
  const std::string path = invocation.ContextsPath();
  ENTENTE_ASSIGN_OR_RETURN(const config::v1::Contexts contexts,
                           LoadContexts(invocation.files(), path));
  invocation.output().Print(JsonWithList(contexts, "contexts"), ContextsTable(contexts, path));
  return ExitCode::kOk;
}

}  // namespace

void AddContextList(CLI::App& context, Invocation& invocation) {
  AddVerb(context, "list", "All contexts", invocation,
          [&invocation] { return RunContextList(invocation); });
}

}  // namespace entente::cli
