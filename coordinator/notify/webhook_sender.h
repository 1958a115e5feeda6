// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_NOTIFY_WEBHOOK_SENDER_H_
#define COORDINATOR_NOTIFY_WEBHOOK_SENDER_H_

// Posts notifications to a URL, signed as Standard Webhooks 1.0.0 says
// (https://github.com/standard-webhooks/standard-webhooks): docs/operations.md shows how a receiver
// checks the signature, docs/adr/0030 why this way.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/http/post_client.h"
#include "coordinator/notify/notification_sender.h"

namespace entente::notify {

// The bytes of "whsec_<Base64>", with white space around it allowed. INVALID_ARGUMENT, saying how
// to make one and not what was there, if it is none or has another size than Standard Webhooks
// allows.
absl::StatusOr<std::string> ParseWebhookSecret(absl::string_view text);

// "v1,<Base64 of HMAC-SHA256 of id.timestamp.body>".
std::string WebhookSignature(absl::string_view secret, absl::string_view id, absl::Time at,
                             absl::string_view body);

class WebhookSender final : public NotificationSender {
 public:
  struct Options {
    http::PostClient::Options http;
    std::string secret;            // The bytes that sign.
    std::string coordinator;       // Who sends: a SPIFFE id.
    const Clock* clock = nullptr;  // Borrowed.
  };

  explicit WebhookSender(Options options);

  const std::string& name() const override { return name_; }

  // OK on 2xx. INVALID_ARGUMENT on a redirect, which is not followed, and on 4xx but 408, 409, 425
  // and 429. Otherwise as PostClient::Post.
  absl::Status Send(const Notification& notification) override;
  void Cancel() override { client_.Cancel(); }

 private:
  const std::string secret_;
  const std::string coordinator_;
  const Clock& clock_;
  const std::string origin_;
  const std::string name_;
  http::PostClient client_;
};

}  // namespace entente::notify

#endif  // COORDINATOR_NOTIFY_WEBHOOK_SENDER_H_
