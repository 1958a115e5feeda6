// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_TRAINER_COMMANDS_COMMAND_RUN_H_
#define TESTS_UNIT_TRAINER_COMMANDS_COMMAND_RUN_H_

#include <sstream>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "trainer/commands/command_line.h"

namespace entente::trainer {

struct CommandRun {
  int exit_code = -1;
  std::string out;
  std::string error;
};

// Runs entente-trainer's command line within the test.
inline CommandRun RunCommand(const std::vector<std::string>& arguments,
                             const std::string& input = "") {
  std::vector<const char*> argv = {"entente-trainer"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  PosixFileSystem files;
  const SystemClock clock;
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream error;
  const int exit_code = RunCommandLine(
      static_cast<int>(argv.size()), argv.data(),
      {.files = files, .clock = clock, .in = in, .out = out, .error = error, .version = "9.8.7"});
  return {.exit_code = exit_code, .out = out.str(), .error = error.str()};
}

}  // namespace entente::trainer

#endif  // TESTS_UNIT_TRAINER_COMMANDS_COMMAND_RUN_H_
