// SPDX-License-Identifier: Apache-2.0
#include "cli/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

extern char** environ;

namespace entente::cli {
namespace {

constexpr size_t kErrorOutputBytesMax = 4096;

// What the child starts with: its own standard streams, and signals as if nobody had blocked them.
class SpawnSettings {
 public:
  explicit SpawnSettings(int error_fd) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, error_fd, STDERR_FILENO);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

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

int WaitForExit(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

absl::StatusOr<ChildResult> RunChild(const std::vector<std::string>& arguments) {
  int error_pipe[2];
  if (pipe2(error_pipe, O_CLOEXEC) != 0) {
    return absl::InternalError(absl::StrCat("cannot make a pipe: ", std::strerror(errno)));
  }
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));  // exec(3) does not write to them.
  }
  pointers.push_back(nullptr);
  pid_t child = 0;
  int error = 0;
  {
    const SpawnSettings settings(error_pipe[1]);
    error = posix_spawn(&child, pointers[0], settings.actions(), settings.attributes(),
                        pointers.data(), environ);
  }
  close(error_pipe[1]);
  ChildResult result;
  if (error == 0) {
    result.error_output = ReadTail(error_pipe[0]);
    result.exit_status = WaitForExit(child);
  }
  close(error_pipe[0]);
  if (error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot start ", arguments[0], ": ", std::strerror(error)));
  }
  return result;
}

}  // namespace entente::cli
