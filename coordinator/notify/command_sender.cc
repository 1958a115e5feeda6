// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/command_sender.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/base/spawn.h"
#include "common/base/status_macros.h"

namespace entente::notify {
namespace {

constexpr int kLookMilliseconds = 50;  // How soon a stop is noticed.

// The reading end of a pipe that holds `text` and nothing after it. Less than a pipe always takes,
// so that nobody waits for the reader.
absl::StatusOr<OwnedDescriptor> PipeWith(const std::string& text) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot make a pipe: ", std::strerror(errno)));
  }
  const bool written = fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0 &&
                       write(ends[1], text.data(), text.size()) == ssize_t(text.size());
  close(ends[1]);
  OwnedDescriptor reading_end(ends[0]);
  if (written) return reading_end;
  return absl::UnavailableError("cannot write a notification to a pipe");
}

absl::Status EndOf(const ProcessEnd& end) {
  if (end.by_signal) {
    return absl::UnavailableError(absl::StrCat("it was ended by signal ", end.code - 128));
  }
  if (end.code == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("it ended with exit status ", end.code));
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
      OwnedDescriptor input,
      PipeWith(absl::StrCat(ToJson(notification, options_.coordinator), "\n")));
  ENTENTE_ASSIGN_OR_RETURN(
      const SpawnedProcess process,
      Spawn({.argv = options_.command,
             .environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/", "LANG=C.UTF-8"},
             .folder = "/",
             .input = input.get()}));
  input.Close();
  const absl::Status waited = WaitFor(process.ended.get());
  // Before it is reaped, so that its number is still its own.
  if (!waited.ok()) kill(-process.pid, SIGKILL);
  const ProcessEnd end = WaitForEnd(process.pid);
  return waited.ok() ? EndOf(end) : waited;
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
