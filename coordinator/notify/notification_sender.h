// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_NOTIFY_NOTIFICATION_SENDER_H_
#define COORDINATOR_NOTIFY_NOTIFICATION_SENDER_H_

#include <string>

#include "absl/status/status.h"
#include "coordinator/notify/notification.h"

namespace entente::notify {

// One way to tell somebody: webhook_sender.h, command_sender.h.
class NotificationSender {
 public:
  virtual ~NotificationSender() = default;

  // For logs: "webhook https://example.org:443". Holds no secret.
  virtual const std::string& name() const = 0;

  // Blocks until the receiver has it, within a bound of its own. One thread calls it.
  //
  // INVALID_ARGUMENT: the receiver will never take it. Any other error: another try may help. Each
  // names no secret.
  virtual absl::Status Send(const Notification& notification) = 0;

  // Ends a Send under way and makes later ones fail at once. Any thread.
  virtual void Cancel() = 0;
};

}  // namespace entente::notify

#endif  // COORDINATOR_NOTIFY_NOTIFICATION_SENDER_H_
