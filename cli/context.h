// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_CONTEXT_H_
#define CLI_CONTEXT_H_

// Who and where: which coordinator a command talks to and with which certificate. Contexts are kept
// in a file as kubectl keeps its own, $ENTENTE_CONFIG or ~/.config/entente/config.yaml:
//
//   apiVersion: entente/v1
//   kind: Contexts
//   currentContext: alliance
//   contexts:
//     - name: alliance
//       coordinator: coordinator.alliance.example:7443
//       tls: {certificate: me.crt, privateKey: me.key, authority: authority.crt}
//
// Relative paths in it are relative to the file. Options on the command line win over it.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "common/rpc/tls_paths.h"
#include "entente/config/v1/contexts.pb.h"

namespace entente::cli {

// What the command line takes from the environment, read here and nowhere else.
struct Environment {
  std::string home;             // HOME
  std::string xdg_config_home;  // XDG_CONFIG_HOME
  std::string entente_config;   // ENTENTE_CONFIG
  std::string path;             // PATH
  std::string traceparent;      // TRACEPARENT: of what runs this program, if that is traced
  std::string terminal_type;    // TERM
  bool no_color = false;        // NO_COLOR is set (no-color.org), or TERM is "dumb"
  bool line_terminal = false;   // TERM is "dumb" or not set: no sequences at all
};

Environment ReadEnvironment();

// Where the contexts are kept when --config does not say.
std::string DefaultContextsPath(const Environment& environment);

// The file's contexts, paths as they stand in it; none if the file does not exist.
// INVALID_ARGUMENT if it is not a contexts file, or a context has no name or coordinator, or a name
// is there twice.
absl::StatusOr<config::v1::Contexts> LoadContexts(FileSystem& files, const std::string& path);

// Writes the file, making its folder.
absl::Status SaveContexts(FileSystem& files, const std::string& path,
                          const config::v1::Contexts& contexts);

// NOT_FOUND with the nearest name.
absl::StatusOr<config::v1::Context> FindContext(const config::v1::Contexts& contexts,
                                                const std::string& name, const std::string& path);

// What the command line's options say; empty where they say nothing.
struct ConnectionOptions {
  std::string context;      // --context
  std::string config_file;  // --config
  std::string coordinator;  // --coordinator
  std::string certificate;  // --certificate
  std::string private_key;  // --private-key
  std::string authority;    // --authority
};

// Where to connect and as whom.
struct ConnectionTarget {
  std::string context;  // Its name; empty if the options alone said everything.
  std::string coordinator;
  TlsPaths tls;
};

// The named or current context, with the options in place of what they say. The files are not
// looked at.
//
// INVALID_ARGUMENT: nothing names a coordinator or one of the files, or the contexts file is wrong.
// NOT_FOUND: there is no such context.
absl::StatusOr<ConnectionTarget> ResolveTarget(FileSystem& files, const Environment& environment,
                                               const ConnectionOptions& options);

}  // namespace entente::cli

#endif  // CLI_CONTEXT_H_
