// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/trainer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/spawn.h"
#include "common/base/status_macros.h"
#include "common/base/utf8.h"

namespace entente::worker {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr size_t kReadBytes = 64 << 10;
constexpr absl::Duration kEndWait = absl::Seconds(1);
constexpr absl::Duration kLastWordsWait = absl::Milliseconds(50);

struct Pipe {
  OwnedDescriptor read;
  OwnedDescriptor write;
};

absl::StatusOr<Pipe> MakePipe() {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot make a pipe for the trainer: ", std::strerror(errno)));
  }
  return Pipe{OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1])};
}

void SetNonBlocking(int descriptor) {
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

int PollMilliseconds(absl::Duration limit) {
  const int64_t milliseconds = absl::ToInt64Milliseconds(absl::Ceil(limit, absl::Milliseconds(1)));
  return static_cast<int>(std::clamp<int64_t>(milliseconds, 0, std::numeric_limits<int>::max()));
}

// Counts down from `limit` from its construction on.
class Countdown {
 public:
  explicit Countdown(absl::Duration limit)
      : end_(SteadyClock::now() +
             absl::ToChronoNanoseconds(std::min(limit, absl::Hours(24 * 365)))) {}
  absl::Duration left() const { return absl::FromChrono(end_ - SteadyClock::now()); }

 private:
  const SteadyClock::time_point end_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TrainerProcess>> TrainerProcess::Start(const ProcessSpec& spec) {
  ENTENTE_ASSIGN_OR_RETURN(Pipe input, MakePipe());
  ENTENTE_ASSIGN_OR_RETURN(Pipe output, MakePipe());
  ENTENTE_ASSIGN_OR_RETURN(Pipe error, MakePipe());
  ENTENTE_ASSIGN_OR_RETURN(SpawnedProcess process, Spawn({.argv = spec.argv,
                                                          .environment = spec.environment,
                                                          .folder = spec.folder,
                                                          .input = input.read.get(),
                                                          .output = output.write.get(),
                                                          .error = error.write.get()}));
  SetNonBlocking(input.write.get());
  SetNonBlocking(output.read.get());
  SetNonBlocking(error.read.get());
  return std::unique_ptr<TrainerProcess>(new TrainerProcess(process.pid,
                                                            {.pid = std::move(process.ended),
                                                             .input = std::move(input.write),
                                                             .output = std::move(output.read),
                                                             .error = std::move(error.read)},
                                                            spec));
}

TrainerProcess::TrainerProcess(pid_t pid, Descriptors descriptors, const ProcessSpec& spec)
    : pid_(pid),
      pid_descriptor_(std::move(descriptors.pid)),
      clean_line_(spec.clean_line),
      poll_max_(spec.poll_max),
      input_(std::move(descriptors.input)),
      output_(std::move(descriptors.output)),
      error_(std::move(descriptors.error)) {}

TrainerProcess::~TrainerProcess() { Stop(absl::ZeroDuration()); }

absl::Status TrainerProcess::WriteLine(absl::string_view line, absl::Duration limit) {
  const std::string text = absl::StrCat(line, "\n");
  const Countdown countdown(limit);
  size_t written = 0;
  while (written < text.size()) {
    if (!input_.is_open()) return Ended("input");
    const ssize_t count = write(input_.get(), text.data() + written, text.size() - written);
    if (count > 0) {
      written += static_cast<size_t>(count);
    } else if (count < 0 && errno == EPIPE) {
      return Ended("input");
    } else if (!Pump(countdown.left(), /*wants_to_write=*/true)) {
      return absl::DeadlineExceededError("the trainer does not read its standard input");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> TrainerProcess::ReadLine(absl::Duration limit) {
  const Countdown countdown(limit);
  while (true) {
    const size_t end = output_buffer_.find('\n', searched_bytes_);
    if (end != std::string::npos && end <= limits::kTrainerLineBytesMax) {
      std::string line = output_buffer_.substr(0, end);
      output_buffer_.erase(0, end + 1);
      searched_bytes_ = 0;
      return line;
    }
    if (output_buffer_.size() > limits::kTrainerLineBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("the trainer wrote a line of more than ", limits::kTrainerLineBytesMax,
                       " bytes; messages of the trainer protocol are shorter"));
    }
    searched_bytes_ = output_buffer_.size();
    if (!output_.is_open()) return Ended("output");
    if (!Pump(countdown.left(), /*wants_to_write=*/false)) {
      return absl::DeadlineExceededError("the trainer wrote no line in time");
    }
  }
}

bool TrainerProcess::Pump(absl::Duration limit, bool wants_to_write) {
  // What nobody has asked for yet stays in the pipe, so that a flood stops the flooder. A negative
  // descriptor is skipped by poll.
  const bool has_room = output_buffer_.size() <= limits::kTrainerLineBytesMax;
  std::array<pollfd, 3> waits = {{{has_room ? output_.get() : -1, POLLIN, 0},
                                  {error_.get(), POLLIN, 0},
                                  {wants_to_write ? input_.get() : -1, POLLOUT, 0}}};
  if (limit <= absl::ZeroDuration()) return false;
  const int ready = poll(waits.data(), waits.size(), PollMilliseconds(std::min(limit, poll_max_)));
  if (ready == 0) return limit > poll_max_;
  if (waits[0].revents != 0) ReadOutput();
  if (waits[1].revents != 0) ReadErrors();
  return true;
}

void TrainerProcess::ReadOutput() {
  std::array<char, kReadBytes> buffer;
  const ssize_t count = read(output_.get(), buffer.data(), buffer.size());
  if (count > 0) {
    output_buffer_.append(buffer.data(), static_cast<size_t>(count));
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    output_.Close();
  }
}

void TrainerProcess::ReadErrors() {
  std::array<char, kReadBytes> buffer;
  const ssize_t count = read(error_.get(), buffer.data(), buffer.size());
  if (count > 0) {
    error_buffer_.append(buffer.data(), static_cast<size_t>(count));
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    error_.Close();
    if (!error_buffer_.empty()) error_buffer_.push_back('\n');
  }
  size_t start = 0;
  for (size_t end = error_buffer_.find('\n'); end != std::string::npos;
       end = error_buffer_.find('\n', start)) {
    TakeErrorLine(absl::string_view(error_buffer_).substr(start, end - start));
    start = end + 1;
  }
  error_buffer_.erase(0, start);
  if (error_buffer_.size() > limits::kTrainerErrorLineBytesMax) {
    TakeErrorLine(error_buffer_);
    error_buffer_.clear();
  }
}

void TrainerProcess::TakeErrorLine(absl::string_view line) {
  const std::string clean = clean_line_ == nullptr ? std::string(line) : clean_line_(line);
  const absl::string_view cut =
      absl::string_view(clean).substr(0, limits::kTrainerErrorLineBytesMax);
  if (cut.empty()) return;
  const std::string shown = ToValidUtf8(cut);
  last_error_line_ = absl::Utf8SafeCEscape(shown);
  log::Info("the trainer says", {{"line", shown}});  // The log escapes what it must by itself.
}

absl::Status TrainerProcess::Ended(absl::string_view closed) {
  if (!WaitForEnd(kEndWait)) {
    Stop(absl::ZeroDuration());
    return absl::UnavailableError(
        absl::StrCat("the trainer closed its standard ", closed, "; it was stopped"));
  }
  const Countdown countdown(kEndWait);
  while (error_.is_open() && Pump(std::min(kLastWordsWait, countdown.left()), false)) {
  }
  return absl::UnavailableError(EndSentence());
}

bool TrainerProcess::HasEnded() { return WaitForEnd(absl::ZeroDuration()); }

bool TrainerProcess::WaitForEnd(absl::Duration limit) {
  {
    absl::MutexLock lock(&mu_);
    if (reaped_) return true;
  }
  pollfd wait = {pid_descriptor_.get(), POLLIN, 0};
  const Countdown countdown(limit);
  while (poll(&wait, 1, PollMilliseconds(std::min(countdown.left(), poll_max_))) <= 0) {
    if (countdown.left() <= absl::ZeroDuration()) return false;
  }
  absl::MutexLock lock(&mu_);
  Reap();
  return true;
}

void TrainerProcess::Reap() {
  if (reaped_) return;
  // What the child left behind in its group goes with it; before waitpid, while the number is ours.
  kill(-pid_, SIGKILL);
  exit_code_ = entente::WaitForEnd(pid_).code;
  reaped_ = true;
}

void TrainerProcess::Kill() { Signal(SIGKILL); }

void TrainerProcess::Signal(int signal) {
  absl::MutexLock lock(&mu_);
  if (!reaped_) kill(-pid_, signal);
}

void TrainerProcess::Stop(absl::Duration grace) {
  input_.Close();
  if (WaitForEnd(grace)) return;
  if (grace > absl::ZeroDuration()) {
    Signal(SIGTERM);
    if (WaitForEnd(grace)) return;
  }
  Kill();
  WaitForEnd(absl::InfiniteDuration());
}

int TrainerProcess::ExitCode() {
  absl::MutexLock lock(&mu_);
  return exit_code_;
}

std::string TrainerProcess::EndSentence() {
  // bubblewrap, like a shell, turns its child's signal into 128 plus the number.
  const int code = ExitCode();
  const std::string how =
      code > 128 && code < 128 + NSIG
          ? absl::StrCat("signal ", code - 128, " (", strsignal(code - 128), ")")
          : absl::StrCat("exit status ", code);
  return absl::StrCat("the trainer ended with ", how,
                      last_error_line_.empty() ? "" : "; what it said is in its worker's log");
}

}  // namespace entente::worker
