// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_CLI_COMMAND_FIXTURE_H_
#define TESTS_UNIT_CLI_COMMAND_FIXTURE_H_

// Runs whole commands of `entente` in-process, in a folder of their own: the environment names no
// home but that folder, and nothing is on PATH.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/command_line.h"
#include "cli/screen/screen.h"
#include "cli/watch_terminal.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/base/random_source.h"
#include "tests/support/temp_folder.h"

namespace entente::cli {

// A terminal that remembers what was written.
class FakeTerminal final : public Terminal {
 public:
  Size size() const override { return size_; }
  void Write(const std::string& bytes) override { written += bytes; }

  Size size_ = {.width = 80, .height = 24};
  std::string written;
};

class CommandFixture : public ::testing::Test {
 protected:
  CommandFixture() { environment_.home = folder_.path(); }

  // Runs `entente` with these words; what it printed is in out() and error() afterwards.
  ExitCode Run(const std::vector<std::string>& arguments) {
    out_.str("");
    error_.str("");
    Output output(&out_, &error_);
    return RunCommandLine(arguments, {.files = file_system_,
                                      .clock = &clock_,
                                      .random = random_source_,
                                      .interruption = &interruption_,
                                      .output = &output,
                                      .terminal = terminal_,
                                      .open_screen = open_screen_,
                                      .environment = environment_,
                                      .version = "1.2.3",
                                      .program_path = folder_.File("bin/entente")});
  }

  std::string out() const { return out_.str(); }
  std::string error() const { return error_.str(); }
  nlohmann::json OutJson() const { return nlohmann::json::parse(out_.str()); }

  // Makes a valid recipe and returns its path.
  std::string WriteRecipe(const std::string& more = "") const;
  // Makes a small safetensors file and returns its path.
  std::string WriteModel(const std::string& name);
  // Makes a program that behaves as `script`, for /bin/sh, says.
  std::string WriteProgram(const std::string& name, const std::string& script) const;

  TempFolder folder_;
  PosixFileSystem files_;
  FileSystem* file_system_ = &files_;
  SystemClock clock_;  // Certificates are checked against the real time by OpenSSL too.
  SystemRandomSource random_;
  RandomSource* random_source_ = &random_;
  Interruption interruption_;
  Environment environment_;
  Terminal* terminal_ = nullptr;
  std::function<absl::StatusOr<std::unique_ptr<Screen>>()> open_screen_;

 private:
  std::ostringstream out_;
  std::ostringstream error_;
};

}  // namespace entente::cli

#endif  // TESTS_UNIT_CLI_COMMAND_FIXTURE_H_
