// SPDX-License-Identifier: Apache-2.0
// entente: the command line of a federation.

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "cli/command_line.h"
#include "cli/context.h"
#include "cli/interruption.h"
#include "cli/output.h"
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
  output.set_error_is_terminal(entente::cli::StandardErrorIsTerminal());
  StandardTerminal terminal;
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
                                    .environment = entente::cli::ReadEnvironment(),
                                    .version = ENTENTE_VERSION,
                                    .program_path = program_path});
  return static_cast<int>(code);
}
