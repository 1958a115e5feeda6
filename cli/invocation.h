// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_INVOCATION_H_
#define CLI_INVOCATION_H_

// One run of `entente`: what it was given, and what it works with. Commands get it by reference and
// keep nothing beyond it.

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/context.h"
#include "cli/coordinator_client.h"
#include "cli/exit_code.h"
#include "cli/interruption.h"
#include "cli/output.h"
#include "cli/screen/screen.h"
#include "cli/watch_terminal.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/base/random_source.h"
#include "common/base/trace_context.h"

namespace entente::cli {

// Everything outside the process that commands touch. Borrowed; all must outlive the run.
struct Surroundings {
  FileSystem* files = nullptr;
  const Clock* clock = nullptr;
  RandomSource* random = nullptr;
  Interruption* interruption = nullptr;
  Output* output = nullptr;
  Terminal* terminal = nullptr;  // Null if standard output is none.
  // Takes the whole terminal over; empty if standard input or output is none. One at a time.
  std::function<absl::StatusOr<std::unique_ptr<Screen>>()> open_screen;
  Environment environment;
  std::string version;       // Of this program.
  std::string program_path;  // Of this program's file; entente-trainer is looked for beside it.
};

// Options that every command has.
struct GlobalOptions {
  ConnectionOptions connection;
  std::string format = "table";
  std::string timeout = "20s";
  bool no_color = false;
  bool check_config = false;
};

struct Invocation {
  Surroundings surroundings;
  GlobalOptions options;
  absl::Duration timeout = absl::Seconds(20);  // options.timeout, parsed.

  // What the command line asks for; set by the chosen command while it is parsed.
  std::function<absl::StatusOr<ExitCode>()> action;

  Output& output() const { return *surroundings.output; }
  FileSystem& files() const { return *surroundings.files; }
  absl::Time Now() const { return surroundings.clock->Now(); }

  // Where the contexts are kept.
  std::string ContextsPath() const {
    return options.connection.config_file.empty() ? DefaultContextsPath(surroundings.environment)
                                                  : options.connection.config_file;
  }

  absl::StatusOr<ConnectionTarget> Target() const {
    return ResolveTarget(files(), surroundings.environment, options.connection);
  }

  // A client of the coordinator that the options or the context name; connects lazily.
  absl::StatusOr<std::unique_ptr<CoordinatorClient>> Connect() const {
    absl::StatusOr<ConnectionTarget> target = Target();
    if (!target.ok()) return target.status();
    return CoordinatorClient::Create(
        *std::move(target), timeout,
        {.clock = surroundings.clock, .interruption = surroundings.interruption, .trace = Trace()});
  }

  // What the calls belong to: what this program runs for, or else a request of its own.
  TraceContext Trace() const {
    const auto given = TraceContext::Parse(surroundings.environment.traceparent);
    return given.ok() ? given->Child("entente") : TraceContext::Fresh(*surroundings.random);
  }
};

}  // namespace entente::cli

#endif  // CLI_INVOCATION_H_
