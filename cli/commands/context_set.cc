// SPDX-License-Identifier: Apache-2.0
// entente context set NAME: makes a context, or changes what the options say of one. The first one
// becomes the current one.

#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"
#include "common/config/quoted.h"

namespace entente::cli {
namespace {

struct ContextSetArguments {
  std::string name;
  ConnectionOptions connection;
};

// Relative to the working folder now, which no later call need share.
std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

void Apply(const ConnectionOptions& options, config::v1::Context* context) {
  config::v1::TlsFiles& tls = *context->mutable_tls();
  if (!options.coordinator.empty()) context->set_coordinator(options.coordinator);
  if (!options.certificate.empty()) tls.set_certificate(Absolute(options.certificate));
  if (!options.private_key.empty()) tls.set_private_key(Absolute(options.private_key));
  if (!options.authority.empty()) tls.set_authority(Absolute(options.authority));
}

absl::Status CheckIsComplete(const config::v1::Context& context) {
  for (const auto& [option, value] : {std::pair("--coordinator", context.coordinator()),
                                      std::pair("--certificate", context.tls().certificate()),
                                      std::pair("--private-key", context.tls().private_key()),
                                      std::pair("--authority", context.tls().authority())}) {
    if (value.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("context ", Quoted(context.name()), " is new and needs ", option));
    }
  }
  return absl::OkStatus();
}

// A context may be made before its files are there, so that is no error.
void NoteMissingFiles(const Invocation& invocation, const config::v1::Context& context) {
  const config::v1::TlsFiles& tls = context.tls();
  for (const std::string& path : {tls.certificate(), tls.private_key(), tls.authority()}) {
    const std::string file = ResolvePath(invocation.ContextsPath(), path);
    if (invocation.files().Exists(file)) continue;
    invocation.output().Note(absl::StrCat("there is no file ", Printable(file),
                                          " yet; commands with this context fail until it is"));
  }
}

absl::StatusOr<ExitCode> RunContextSet(const Invocation& invocation,
                                       const ContextSetArguments& arguments) {
  if (arguments.name.empty() || arguments.name.size() > 63) {
    return absl::InvalidArgumentError("a context's name has 1 to 63 characters");
  }
  const std::string path = invocation.ContextsPath();
  ENTENTE_ASSIGN_OR_RETURN(config::v1::Contexts contexts, LoadContexts(invocation.files(), path));
  config::v1::Context* context = nullptr;
  for (config::v1::Context& known : *contexts.mutable_contexts()) {
    if (known.name() == arguments.name) context = &known;
  }
  if (context == nullptr) {
    context = contexts.add_contexts();
    context->set_name(arguments.name);
  }
  Apply(arguments.connection, context);
  ENTENTE_RETURN_IF_ERROR(CheckIsComplete(*context));
  NoteMissingFiles(invocation, *context);
  if (contexts.current_context().empty()) contexts.set_current_context(arguments.name);
  ENTENTE_RETURN_IF_ERROR(SaveContexts(invocation.files(), path, contexts));
  const bool is_current = contexts.current_context() == arguments.name;
  invocation.output().Print(
      *context, absl::StrCat("context ", arguments.name, " is in ", path,
                             is_current ? " and is the current one"
                                        : absl::StrCat("; use it with \"entente context use ",
                                                       arguments.name, "\""),
                             "\n"));
  return ExitCode::kOk;
}

}  // namespace

void AddContextSet(CLI::App& context, Invocation& invocation) {
  const auto arguments = std::make_shared<ContextSetArguments>();
  Verb verb = AddVerb(context, "set", "Make a context, or change one", invocation,
                      [&invocation, arguments] { return RunContextSet(invocation, *arguments); });
  verb.Required("NAME", arguments->name, "The context's name");
  ConnectionOptions& connection = arguments->connection;
  verb.Option("--coordinator", connection.coordinator, "HOST:PORT");
  verb.Option("--certificate", connection.certificate, "Our certificate, PEM");
  verb.Option("--private-key", connection.private_key, "Its private key, PEM");
  verb.Option("--authority", connection.authority, "The alliance's authority, PEM");
}

}  // namespace entente::cli
