// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_COMMANDS_COMMAND_LINE_H_
#define TRAINER_COMMANDS_COMMAND_LINE_H_

// entente-trainer's command line: without a subcommand it speaks the trainer protocol.

#include <istream>
#include <ostream>
#include <string>

#include "common/base/clock.h"
#include "common/base/file_system.h"

namespace entente::trainer {

// All borrowed.
struct CommandContext {
  FileSystem& files;
  const Clock& clock;
  std::istream& in;
  std::ostream& out;    // The protocol, or a subcommand's result.
  std::ostream& error;  // Usage errors. Everything else goes to the log.
  std::string version;  // "0.1.0".
};

// Returns the exit code: 0 done, 1 failed, 2 bad usage or input.
int RunCommandLine(int argc, const char* const* argv, const CommandContext& context);

}  // namespace entente::trainer

#endif  // TRAINER_COMMANDS_COMMAND_LINE_H_
