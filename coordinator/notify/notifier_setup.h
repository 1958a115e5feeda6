// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_NOTIFY_NOTIFIER_SETUP_H_
#define COORDINATOR_NOTIFY_NOTIFIER_SETUP_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "coordinator/notify/notifier.h"
#include "entente/config/v1/coordinator.pb.h"

namespace entente::notify {

// What a configuration that was loaded does not tell: the webhook's key is one and only its owner
// can read it, and the command can be run. INVALID_ARGUMENT, with the place and what to do; nothing
// is sent.
absl::Status CheckNotificationFiles(FileSystem& files, const config::v1::Notifications& config);

// Who sends notifications.
struct NotifierIdentity {
  std::string coordinator;  // SPIFFE id.
  std::string version;      // entente-coordinator's.
};

// A notifier for what the section asks for; null if it names no receiver. Errors as
// CheckNotificationFiles.
absl::StatusOr<std::shared_ptr<Notifier>> MakeNotifier(FileSystem& files,
                                                       const config::v1::Notifications& config,
                                                       const NotifierIdentity& identity,
                                                       const Notifier::Dependencies& dependencies);

}  // namespace entente::notify

#endif  // COORDINATOR_NOTIFY_NOTIFIER_SETUP_H_
