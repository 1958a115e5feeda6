// SPDX-License-Identifier: Apache-2.0
// entente context use NAME: makes a context the current one.

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "common/base/status_macros.h"
#include "common/config/proto_to_json.h"

namespace entente::cli {
namespace {

absl::StatusOr<ExitCode> RunContextUse(const Invocation& invocation, const std::string& name) {
  const std::string path = invocation.ContextsPath();
  ENTENTE_ASSIGN_OR_RETURN(config::v1::Contexts contexts, LoadContexts(invocation.files(), path));
  ENTENTE_ASSIGN_OR_RETURN(const config::v1::Context context, FindContext(contexts, name, path));
  contexts.set_current_context(name);
  ENTENTE_RETURN_IF_ERROR(SaveContexts(invocation.files(), path, contexts));
  invocation.output().Print(
      context, absl::StrCat("now using context ", name, ", ", context.coordinator(), "\n"));
  return ExitCode::kOk;
}

}  // namespace

void AddContextUse(CLI::App& context, Invocation& invocation) {
  const auto name = std::make_shared<std::string>();
  Verb verb = AddVerb(context, "use", "Make a context the current one", invocation,
                      [&invocation, name] { return RunContextUse(invocation, *name); });
  verb.Required("NAME", *name, "The context's name");
}

}  // namespace entente::cli
