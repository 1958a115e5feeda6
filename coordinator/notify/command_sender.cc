// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/command_sender.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente::notify {
namespace {

constexpr int kLookMilliseconds = 50;  // How soon a stop is noticed.

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) {
    pointers.push_back(const_cast<char*>(text.c_str()));  // exec(3) does not write to them.
  }
  pointers.push_back(nullptr);
  return pointers;
}

// The reading end of a pipe that holds `text` and nothing after it. Less than a pipe always takes,
// so that nobody waits for the reader.
absl::StatusOr<int> PipeWith(const std::string& text) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot make a pipe: ", std::strerror(errno)));
  }
  const bool written = fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0 &&
                       write(ends[1], text.data(), text.size()) == ssize_t(text.size());
  close(ends[1]);
  if (written) return ends[0];
  close(ends[0]);
  return absl::UnavailableError("cannot write a notification to a pipe");
}

// In a process group of its own, with no descriptor of ours, no signal blocked and none ignored.
absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& command, int input) {
  static const auto* const environment =
      new std::vector<std::string>{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/", "LANG=C.UTF-8"};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  pid_t pid = 0;
  const int failure = posix_spawn(&pid, command.front().c_str(), &actions, &attributes,
                                  Pointers(command).data(), Pointers(*environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failure == 0) return pid;
  return absl::UnavailableError(
      absl::StrCat("cannot start ", command.front(), ": ", std::strerror(failure)));
}

absl::Status EndOf(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return absl::UnavailableError(absl::StrCat("it was ended by signal ", WTERMSIG(wait_status)));
  }
  const int exit_status = WEXITSTATUS(wait_status);
  if (exit_status == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("it ended with exit status ", exit_status));
}

}  // namespace

absl::Status CheckProgram(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("notifications.command: ", path,
                                                 " is no program that can be run; run chmod +x ",
                                                 path, ", or name another"));
}

CommandSender::CommandSender(Options options)
    : options_(std::move(options)), name_(absl::StrCat("command ", options_.command.front())) {}

absl::Status CommandSender::Send(const Notification& notification) {
  if (cancelled_) return absl::CancelledError("given up: the program is stopping");
  ENTENTE_ASSIGN_OR_RETURN(
      const int input, PipeWith(absl::StrCat(ToJson(notification, options_.coordinator), "\n")));
  const absl::StatusOr<pid_t> pid = Spawn(options_.command, input);
  close(input);
  ENTENTE_RETURN_IF_ERROR(pid.status());
  // glibc 2.36 declares pidfd_open for C alone.
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, *pid, 0));
  const absl::Status waited =
      descriptor >= 0
          ? WaitFor(descriptor)
          : absl::UnavailableError(absl::StrCat("cannot watch ", options_.command.front()));
  if (descriptor >= 0) close(descriptor);
  // Before it is reaped, so that its number is still its own.
  if (!waited.ok()) kill(-*pid, SIGKILL);
  int wait_status = 0;
  while (waitpid(*pid, &wait_status, 0) < 0 && errno == EINTR) {
  }
  return waited.ok() ? EndOf(wait_status) : waited;
}

absl::Status CommandSender::WaitFor(int process_descriptor) const {
  using SteadyClock = std::chrono::steady_clock;
  const auto end = SteadyClock::now() + absl::ToChronoNanoseconds(options_.timeout);
  while (!cancelled_) {
    pollfd ended = {.fd = process_descriptor, .events = POLLIN, .revents = 0};
    if (poll(&ended, 1, kLookMilliseconds) > 0) return absl::OkStatus();
    if (SteadyClock::now() < end) continue;
    return absl::DeadlineExceededError(absl::StrCat(
        "it ran for over ", absl::FormatDuration(options_.timeout), " and was killed"));
  }
  return absl::CancelledError("given up: the program is stopping");
}

}  // namespace entente::notify
