// SPDX-License-Identifier: Apache-2.0
// entente: the command line of a federation.

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/command_line.h"
#include "cli/context.h"
#include "cli/interruption.h"
#include "cli/output.h"
#include "cli/screen/terminal_screen.h"
#include "cli/watch_terminal.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/base/random_source.h"

int main(int argc, char** argv) {
  using entente::cli::StandardTerminal;
  entente::cli::Interruption interruption;
  const entente::cli::SignalWatcher signals(&interruption);  // Before any other thread.

  entente::PosixFileSystem files;
  const entente::SystemClock clock;
  entente::SystemRandomSource random;
  entente::cli::Output output = entente::cli::Output::ForProcess();
  const entente::cli::Environment environment = entente::cli::ReadEnvironment();
  output.set_error_is_terminal(entente::cli::StandardErrorIsTerminal() &&
                               !environment.line_terminal);
  StandardTerminal terminal;
  std::function<absl::StatusOr<std::unique_ptr<entente::cli::Screen>>()> open_screen;
  if (StandardTerminal::IsThere() && entente::cli::StandardInputIsTerminal()) {
    open_screen = [&environment] {
      return entente::cli::TerminalScreen::Open(environment.terminal_type,
                                                {.input = stdin, .output = stdout});
    };
  }
  std::error_code ignored;  // Without it entente-trainer is looked for in PATH alone.
  const std::string program_path =
      std::filesystem::read_symlink("/proc/self/exe", ignored).string();

  const entente::cli::ExitCode code =
      entente::cli::RunCommandLine(std::vector<std::string>(argv + 1, argv + argc),
                                   {.files = &files,
                                    .clock = &clock,
                                    .random = &random,
                                    .interruption = &interruption,
                                    .output = &output,
                                    .terminal = StandardTerminal::IsThere() ? &terminal : nullptr,
                                    .open_screen = open_screen,
                                    .environment = environment,
                                    .version = ENTENTE_VERSION,
                                    .program_path = program_path});
  return static_cast<int>(code);
}
