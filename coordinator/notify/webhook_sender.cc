// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/webhook_sender.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/crypto/hmac.h"

namespace entente::notify {
namespace {

// The receiver may think otherwise later: it is busy, too early, or has it in hand.
bool MayHelpToSendAgain(int status) {
  constexpr int kAgain[] = {408, 409, 425, 429};
  return status >= 500 ||
         std::find(std::begin(kAgain), std::end(kAgain), status) != std::end(kAgain);
}

}  // namespace

absl::StatusOr<std::string> ParseWebhookSecret(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  std::string secret;
  if (!absl::ConsumePrefix(&text, "whsec_") || !absl::Base64Unescape(text, &secret) ||
      secret.size() < limits::kNotificationSecretBytesMin ||
      secret.size() > limits::kNotificationSecretBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the webhook's key must be whsec_ and ", limits::kNotificationSecretBytesMin,
                     " to ", limits::kNotificationSecretBytesMax,
                     " bytes in Base64; make one with: echo whsec_$(openssl rand -base64 32)"));
  }
  return secret;
}

std::string WebhookSignature(absl::string_view secret, absl::string_view id, absl::Time at,
                             absl::string_view body) {
  const std::string signed_text = absl::StrCat(id, ".", absl::ToUnixSeconds(at), ".", body);
  return absl::StrCat("v1,", absl::Base64Escape(HmacSha256(secret, signed_text).Raw()));
}

WebhookSender::WebhookSender(Options options)
    : secret_(std::move(options.secret)),
      coordinator_(std::move(options.coordinator)),
      clock_(*options.clock),
      origin_(options.http.url.Origin()),
      name_(absl::StrCat("webhook ", origin_)),
      client_(std::move(options.http)) {}

absl::Status WebhookSender::Send(const Notification& notification) {
  const std::string body = ToJson(notification, coordinator_);
  const absl::Time now = clock_.Now();
  ENTENTE_ASSIGN_OR_RETURN(
      const int status,
      client_.Post({{"webhook-id", notification.id},
                    {"webhook-timestamp", absl::StrCat(absl::ToUnixSeconds(now))},
                    {"webhook-signature", WebhookSignature(secret_, notification.id, now, body)}},
                   "application/json", body));
  if (status >= 200 && status < 300) return absl::OkStatus();
  const std::string answered = absl::StrCat(origin_, " answered ", status);
  if (MayHelpToSendAgain(status)) return absl::UnavailableError(answered);
  return absl::InvalidArgumentError(
      status >= 300 && status < 400
          ? absl::StrCat(answered, "; redirects are not followed: give the URL it leads to")
          : answered);
}

}  // namespace entente::notify
