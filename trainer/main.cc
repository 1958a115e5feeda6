// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "trainer/commands/command_line.h"
#include "trainer/protocol/message_writer.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  entente::PosixFileSystem files;
  const entente::SystemClock clock;
  return entente::trainer::RunCommandLine(argc, argv,
                                          {.files = files,
                                           .clock = clock,
                                           .in = std::cin,
                                           .out = entente::trainer::StandardOutput(),
                                           .error = std::cerr,
                                           .version = ENTENTE_VERSION});
}
