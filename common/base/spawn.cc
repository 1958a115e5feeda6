// SPDX-License-Identifier: Apache-2.0
#include "common/base/spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace entente {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) {
    pointers.push_back(const_cast<char*>(text.c_str()));  // exec(3) does not write to them.
  }
  pointers.push_back(nullptr);
  return pointers;
}

// What the child starts with.
class SpawnSettings {
 public:
  explicit SpawnSettings(const SpawnSpec& spec) {
    posix_spawn_file_actions_init(&actions_);
    SetStream(spec.input, STDIN_FILENO, O_RDONLY);
    SetStream(spec.output, STDOUT_FILENO, O_WRONLY);
    SetStream(spec.error, STDERR_FILENO, O_WRONLY);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&actions_, spec.folder.c_str());

    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_,
                             static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                (spec.has_own_group ? POSIX_SPAWN_SETPGROUP : 0)));
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
  void SetStream(int ours, int childs, int mode) {
    if (ours >= 0) {
      posix_spawn_file_actions_adddup2(&actions_, ours, childs);
    } else {
      posix_spawn_file_actions_addopen(&actions_, childs, "/dev/null", mode, 0);
    }
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

absl::StatusOr<SpawnedProcess> Spawn(const SpawnSpec& spec) {
  const SpawnSettings settings(spec);
  SpawnedProcess process;
  const int failure = posix_spawn(&process.pid, spec.argv.front().c_str(), settings.actions(),
                                  settings.attributes(), Pointers(spec.argv).data(),
                                  Pointers(spec.environment).data());
  if (failure != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot start ", spec.argv.front(), ": ", std::strerror(failure)));
  }
  // glibc 2.36 declares pidfd_open for C alone.
  process.ended = OwnedDescriptor(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
  if (process.ended.is_open()) return process;
  const std::string why = std::strerror(errno);
  kill(spec.has_own_group ? -process.pid : process.pid, SIGKILL);
  WaitForEnd(process.pid);
  return absl::UnavailableError(absl::StrCat("cannot watch ", spec.argv.front(), ": ", why));
}

ProcessEnd WaitForEnd(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return {.code = 128 + WTERMSIG(status), .by_signal = true};
  return {.code = WEXITSTATUS(status), .by_signal = false};
}

}  // namespace entente
