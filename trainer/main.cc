// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <iostream>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/base/log.h"
#include "common/base/trace_context.h"
#include "trainer/commands/command_line.h"
#include "trainer/protocol/message_writer.h"

namespace {

// Whom this process works for, if whoever started it says so: docs/trainer-protocol.md.
std::vector<entente::log::Field> LogFields() {
  const char* const traceparent = std::getenv("TRACEPARENT");
  if (traceparent == nullptr) return {};
  const auto trace = entente::TraceContext::Parse(traceparent);
  if (!trace.ok()) return {};
  return {{"trace", trace->trace_id()}};
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  entente::PosixFileSystem files;
  const entente::SteadyClock clock;  // It is asked only how long something takes.
  const entente::log::Scope scope(LogFields());
  return entente::trainer::RunCommandLine(argc, argv,
                                          {.files = files,
                                           .clock = clock,
                                           .in = std::cin,
                                           .out = entente::trainer::StandardOutput(),
                                           .error = std::cerr,
                                           .version = ENTENTE_VERSION});
}
