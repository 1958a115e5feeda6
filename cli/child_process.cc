// SPDX-License-Identifier: Apache-2.0
#include "cli/child_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/spawn.h"

extern char** environ;

namespace entente::cli {
namespace {

constexpr size_t kErrorOutputBytesMax = 4096;

// Reads to the end, keeping the last bytes.
std::string ReadTail(int fd) {
  std::string tail;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return tail;
    tail.append(buffer, static_cast<size_t>(got));
    if (tail.size() > kErrorOutputBytesMax) tail.erase(0, tail.size() - kErrorOutputBytesMax);
  }
}

std::vector<std::string> OurEnvironment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

}  // namespace

absl::StatusOr<ChildResult> RunChild(const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return absl::InternalError(absl::StrCat("cannot make a pipe: ", std::strerror(errno)));
  }
  const OwnedDescriptor reading_end(ends[0]);
  OwnedDescriptor writing_end(ends[1]);
  const auto child = Spawn({.argv = arguments,
                            .environment = OurEnvironment(),
                            .folder = ".",
                            .error = writing_end.get(),
                            .has_own_group = false});
  if (!child.ok()) return absl::InvalidArgumentError(child.status().message());
  writing_end.Close();
  ChildResult result;
  result.error_output = ReadTail(reading_end.get());
  result.exit_status = WaitForEnd(child->pid).code;
  return result;
}

}  // namespace entente::cli
