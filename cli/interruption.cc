// SPDX-License-Identifier: Apache-2.0
#include "cli/interruption.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "cli/exit_code.h"

namespace entente::cli {
namespace {

// SIGUSR1 is how the watcher's own destructor wakes it.
sigset_t WatchedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGQUIT);
  sigaddset(&signals, SIGUSR1);
  struct sigaction hangup = {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
    sigaddset(&signals, SIGHUP);
  }
  return signals;
}

}  // namespace

Interruption::Registration::~Registration() {
  absl::MutexLock lock(&interruption_->mu_);
  interruption_->callbacks_.erase(id_);
}

void Interruption::Trigger() {
  absl::MutexLock lock(&mu_);
  if (triggered_) return;
  triggered_ = true;
  was_triggered_.SignalAll();
  for (const auto& [id, callback] : callbacks_) callback();
}

bool Interruption::triggered() const {
  absl::MutexLock lock(&mu_);
  return triggered_;
}

std::unique_ptr<Interruption::Registration> Interruption::OnTrigger(
    std::function<void()> callback) {
  absl::MutexLock lock(&mu_);
  if (triggered_) callback();
  const int id = next_id_++;
  callbacks_.emplace(id, std::move(callback));
  return std::make_unique<Registration>(this, id);
}

bool Interruption::WaitFor(absl::Duration duration) {
  absl::MutexLock lock(&mu_);
  return was_triggered_.AwaitFor(
      &mu_, duration, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return triggered_; });
}

absl::Status Interruption::Check() const {
  if (triggered()) return absl::CancelledError("interrupted");
  return absl::OkStatus();
}

SignalWatcher::SignalWatcher(Interruption* interruption)
    : interruption_(*interruption), has_terminal_(tcgetattr(STDIN_FILENO, &terminal_) == 0) {
  const sigset_t signals = WatchedSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this] { Run(); });
}

SignalWatcher::~SignalWatcher() {
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

// For whoever has no patience left. A full screen has another mode, another page, a keypad of its
// own (xterm's private modes 1049 and 1, DECKPNM); a picture may have hidden the cursor.
void SignalWatcher::EndAtOnce() const {
  std::string bytes;
  termios now = {};
  if (has_terminal_ && tcgetattr(STDIN_FILENO, &now) == 0 && now.c_lflag != terminal_.c_lflag) {
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal_);
    bytes = "\x1b[?1049l\x1b[?1l\x1b>\x1b[m";
  }
  bytes += "\x1b[?25h";
  if (isatty(STDOUT_FILENO) == 1) {
    [[maybe_unused]] const ssize_t put = write(STDOUT_FILENO, bytes.data(), bytes.size());
  }
  _exit(static_cast<int>(ExitCode::kInterrupted));
}

void SignalWatcher::Run() {
  const sigset_t signals = WatchedSignals();
  for (int signal = 0; sigwait(&signals, &signal) == 0 && signal != SIGUSR1;) {
    if (interruption_.triggered()) EndAtOnce();
    interruption_.Trigger();
  }
}

}  // namespace entente::cli
