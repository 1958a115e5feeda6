// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/commands.h"

#include <CLI/App.hpp>
#include <utility>

namespace entente::cli {

Verb AddVerb(CLI::App& noun, const std::string& name, const std::string& description,
             Invocation& invocation, std::function<absl::StatusOr<ExitCode>()> run) {
  CLI::App* verb = noun.add_subcommand(name, description);
  verb->callback([&invocation, run = std::move(run)] { invocation.action = run; });
  return Verb(verb);
}

}  // namespace entente::cli
