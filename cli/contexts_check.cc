// SPDX-License-Identifier: Apache-2.0
#include "cli/contexts_check.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "cli/context.h"
#include "common/base/status_macros.h"
#include "common/rpc/tls_credentials.h"

namespace entente::cli {

absl::StatusOr<ExitCode> CheckContexts(const Invocation& invocation) {
  const std::string path = invocation.ContextsPath();
  ENTENTE_ASSIGN_OR_RETURN(const config::v1::Contexts contexts,
                           LoadContexts(invocation.files(), path));
  for (const config::v1::Context& context : contexts.contexts()) {
    ConnectionOptions options = invocation.options.connection;
    options.context = context.name();
    ENTENTE_ASSIGN_OR_RETURN(
        const ConnectionTarget target,
        ResolveTarget(invocation.files(), invocation.surroundings.environment, options));
    if (absl::Status status = CheckTlsFiles(target.tls, invocation.Now()); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("context ", context.name(), ": ", status.message()));
    }
  }
  invocation.output().PrintText(
      absl::StrCat(path, " is fine: contexts: ", contexts.contexts_size(), ", current: ",
                   contexts.current_context().empty() ? "none" : contexts.current_context(), "\n"));
  return ExitCode::kOk;
}

}  // namespace entente::cli
