// SPDX-License-Identifier: Apache-2.0
#include "cli/context.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/exit_code.h"
#include "cli/screen/terminal_screen.h"
#include "common/base/closest_word.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"
#include "common/config/proto_to_json.h"
#include "common/config/quoted.h"

namespace entente::cli {
namespace {

constexpr char kApiVersion[] = "entente/v1";
constexpr char kKind[] = "Contexts";

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::Status CheckContexts(const config::v1::Contexts& contexts, const std::string& path) {
  std::set<std::string> names;
  for (const config::v1::Context& context : contexts.contexts()) {
    if (context.name().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": a context has no name"));
    }
    if (context.coordinator().empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": context ", Quoted(context.name()), " has no coordinator"));
    }
    if (!names.insert(context.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": context ", Quoted(context.name()), " is there twice"));
    }
  }
  return absl::OkStatus();
}

// The context that the options ask for, or the current one; empty fields if there is neither.
absl::StatusOr<ConnectionTarget> ContextTarget(FileSystem& files, const Environment& environment,
                                               const ConnectionOptions& options) {
  const std::string path =
      options.config_file.empty() ? DefaultContextsPath(environment) : options.config_file;
  ENTENTE_ASSIGN_OR_RETURN(const config::v1::Contexts contexts, LoadContexts(files, path));
  const std::string name = options.context.empty() ? contexts.current_context() : options.context;
  if (name.empty()) return ConnectionTarget();
  ENTENTE_ASSIGN_OR_RETURN(const config::v1::Context context, FindContext(contexts, name, path));
  return ConnectionTarget{.context = context.name(),
                          .coordinator = context.coordinator(),
                          .tls = {.certificate = ResolvePath(path, context.tls().certificate()),
                                  .private_key = ResolvePath(path, context.tls().private_key()),
                                  .authority = ResolvePath(path, context.tls().authority())}};
}

// Whether the options alone say everything, so that no file needs to be read.
bool IsComplete(const ConnectionOptions& options) {
  return options.context.empty() && !options.coordinator.empty() && !options.certificate.empty() &&
         !options.private_key.empty() && !options.authority.empty();
}

absl::Status CheckTarget(const ConnectionTarget& target) {
  if (target.coordinator.empty()) {
    return absl::InvalidArgumentError(
        "no coordinator is named; choose a context with \"entente context use NAME\", make one "
        "with "
        "\"entente context set NAME\", or give --coordinator HOST:PORT");
  }
  std::vector<std::string> missing;
  if (target.tls.certificate.empty()) missing.push_back("--certificate");
  if (target.tls.private_key.empty()) missing.push_back("--private-key");
  if (target.tls.authority.empty()) missing.push_back("--authority");
  if (missing.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the coordinator ", target.coordinator, " is named without ", absl::StrJoin(missing, ", "),
      "; every connection needs a certificate, its key and the authority of the other side"));
}

}  // namespace

Environment ReadEnvironment() {
  return {.home = Variable("HOME"),
          .xdg_config_home = Variable("XDG_CONFIG_HOME"),
          .entente_config = Variable("ENTENTE_CONFIG"),
          .path = Variable("PATH"),
          .traceparent = Variable("TRACEPARENT"),
          .terminal_type = Variable("TERM"),
          .no_color = !Variable("NO_COLOR").empty() || Variable("TERM") == "dumb",
          .line_terminal = IsLineTerminal(Variable("TERM"))};
}

std::string DefaultContextsPath(const Environment& environment) {
  if (!environment.entente_config.empty()) return environment.entente_config;
  if (!environment.xdg_config_home.empty()) {
    return environment.xdg_config_home + "/entente/config.yaml";
  }
  return environment.home + "/.config/entente/config.yaml";
}

absl::StatusOr<config::v1::Contexts> LoadContexts(FileSystem& files, const std::string& path) {
  config::v1::Contexts contexts;
  if (!files.Exists(path)) {
    contexts.set_api_version(kApiVersion);
    contexts.set_kind(kKind);
    return contexts;
  }
  ENTENTE_RETURN_IF_ERROR(AsInputFileError(LoadConfig(files, path, &contexts)));
  ENTENTE_RETURN_IF_ERROR(CheckContexts(contexts, path));
  return contexts;
}

absl::Status SaveContexts(FileSystem& files, const std::string& path,
                          const config::v1::Contexts& contexts) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (!folder.empty()) {
    ENTENTE_RETURN_IF_ERROR(AsOutputFileError(files.CreateFolder(folder)));
  }
  return AsOutputFileError(WriteTextFile(files, path, ProtoToYaml(contexts)));
}

absl::StatusOr<config::v1::Context> FindContext(const config::v1::Contexts& contexts,
                                                const std::string& name, const std::string& path) {
  std::vector<std::string> names;
  for (const config::v1::Context& context : contexts.contexts()) {
    if (context.name() == name) return context;
    names.push_back(context.name());
  }
  const std::optional<std::string> closest = ClosestWord(name, names);
  return absl::NotFoundError(
      absl::StrCat("there is no context ", Quoted(name), " in ", path, "; ",
                   closest         ? absl::StrCat("did you mean ", Quoted(*closest), "?")
                   : names.empty() ? std::string("make one with \"entente context set NAME\"")
                                   : absl::StrCat("there are ", absl::StrJoin(names, ", "))));
}

absl::StatusOr<ConnectionTarget> ResolveTarget(FileSystem& files, const Environment& environment,
                                               const ConnectionOptions& options) {
  ConnectionTarget target;
  if (!IsComplete(options)) {
    ENTENTE_ASSIGN_OR_RETURN(target, ContextTarget(files, environment, options));
  }
  if (!options.coordinator.empty()) target.coordinator = options.coordinator;
  if (!options.certificate.empty()) target.tls.certificate = options.certificate;
  if (!options.private_key.empty()) target.tls.private_key = options.private_key;
  if (!options.authority.empty()) target.tls.authority = options.authority;
  ENTENTE_RETURN_IF_ERROR(CheckTarget(target));
  return target;
}

}  // namespace entente::cli
