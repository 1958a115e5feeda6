// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_COMMAND_LINE_H_
#define CLI_COMMAND_LINE_H_

// The command line from words to exit code. Everything it touches is handed in, so tests run whole
// commands in-process.

#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/invocation.h"

namespace entente::cli {

// Runs `entente` with `arguments` (its own name not among them). Nothing is done unless the whole
// command line is right; an unknown command, option or word is answered with the nearest known one.
ExitCode RunCommandLine(const std::vector<std::string>& arguments,
                        const Surroundings& surroundings);

}  // namespace entente::cli

#endif  // CLI_COMMAND_LINE_H_
