// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_NOTIFY_COMMAND_SENDER_H_
#define COORDINATOR_NOTIFY_COMMAND_SENDER_H_

// Runs a program for each notification: the JSON on its standard input, PATH, HOME and LANG as its
// whole environment, / as its folder, its output thrown away. No shell takes part. The program must
// ignore SIGPIPE.

#include <atomic>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "coordinator/notify/notification_sender.h"

namespace entente::notify {

// OK if `path` is a file that may be run; INVALID_ARGUMENT naming it otherwise.
absl::Status CheckProgram(const std::string& path);

class CommandSender final : public NotificationSender {
 public:
  struct Options {
    std::vector<std::string> command;  // A path, then arguments.
    absl::Duration timeout = absl::Seconds(30);
    std::string coordinator;  // Who sends: a SPIFFE id.
  };

  explicit CommandSender(Options options);

  const std::string& name() const override { return name_; }

  // OK if it ended with 0. DEADLINE_EXCEEDED: it ran too long, and it and what it started in its
  // process group were killed. CANCELLED: likewise, after Cancel. UNAVAILABLE: it could not be
  // started, or ended otherwise.
  absl::Status Send(const Notification& notification) override;
  void Cancel() override { cancelled_ = true; }

 private:
  absl::Status WaitFor(int process_descriptor) const;

  const Options options_;
  const std::string name_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace entente::notify

#endif  // COORDINATOR_NOTIFY_COMMAND_SENDER_H_
