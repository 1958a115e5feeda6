// SPDX-License-Identifier: Apache-2.0
// entente context show [NAME]: where a command would connect, and as whom.

#include <memory>

#include "cli/commands/commands.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"

namespace entente::cli {
namespace {

absl::StatusOr<ExitCode> RunContextShow(const Invocation& invocation, const std::string& name) {
  ConnectionOptions options = invocation.options.connection;
  if (!name.empty()) options.context = name;
  ENTENTE_ASSIGN_OR_RETURN(
      const ConnectionTarget target,
      ResolveTarget(invocation.files(), invocation.surroundings.environment, options));
  nlohmann::ordered_json json;
  json["name"] = target.context;
  json["coordinator"] = target.coordinator;
  json["tls"]["certificate"] = target.tls.certificate;
  json["tls"]["privateKey"] = target.tls.private_key;
  json["tls"]["authority"] = target.tls.authority;
  invocation.output().Print(json, Fields({{"context", target.context},
                                          {"coordinator", target.coordinator},
                                          {"certificate", target.tls.certificate},
                                          {"private key", target.tls.private_key},
                                          {"authority", target.tls.authority}}));
  return ExitCode::kOk;
}

}  // namespace

void AddContextShow(CLI::App& context, Invocation& invocation) {
  const auto name = std::make_shared<std::string>();
  Verb verb = AddVerb(context, "show", "Where a command would connect, and as whom", invocation,
                      [&invocation, name] { return RunContextShow(invocation, *name); });
  verb.Option("NAME", *name, "The context's name; default the current one");
}

}  // namespace entente::cli
