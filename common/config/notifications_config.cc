// SPDX-License-Identifier: Apache-2.0
#include "common/config/notifications_config.h"

#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/http_url.h"
#include "common/config/enum_words.h"
#include "common/config/proto_time.h"
#include "common/config/quoted.h"

namespace entente {
namespace {

using ::entente::config::v1::NotificationCommand;
using ::entente::config::v1::Notifications;
using ::entente::config::v1::NotificationWebhook;

constexpr uint32_t kWebhookTriesMax = 8;
constexpr uint32_t kCommandTriesMax = 3;
constexpr uint32_t kTriesLimit = 20;

void CheckEvents(const Notifications& notifications, FieldCheck* check) {
  std::set<std::string> seen;
  for (int i = 0; i < notifications.events_size(); ++i) {
    const auto* const event =
        Notifications::Event_descriptor()->FindValueByNumber(notifications.events(i));
    CheckUnique(absl::StrCat("notifications.events[", i, "]"), EnumWord(*event), &seen, check);
  }
}

void CheckWebhook(const NamedFiles& named, NotificationWebhook* webhook, FieldCheck* check) {
  check->Present("notifications.webhook.url", !webhook->url().empty(),
                 "say where notifications are posted, such as https://example.org/hook");
  // A path may hold a token, so what was written is not shown whole.
  if (const auto url = ParseHttpUrl(webhook->url()); !url.ok()) {
    check->Fail("notifications.webhook.url",
                absl::StrCat("is no URL that can be posted to; it ", url.status().message()));
  }
  named.RequireFile("notifications.webhook.secretFile",
                    "the file with the key that signs notifications",
                    webhook->mutable_secret_file(), check);
  if (!webhook->authority().empty()) {
    named.RequireFile("notifications.webhook.authority",
                      "the PEM file of the authority that vouches for the receiver",
                      webhook->mutable_authority(), check);
  }
  check->Time("notifications.webhook.timeout", ToDuration(webhook->timeout()), absl::Seconds(1),
              absl::Minutes(5));
  check->Range("notifications.webhook.triesMax", webhook->tries_max(), 1, kTriesLimit);
}

void CheckCommand(const NamedFiles& named, NotificationCommand* command, FieldCheck* check) {
  check->Present("notifications.command.command", command->command_size() > 0,
                 "name the program to run, and its arguments");
  if (command->command_size() > 0) {
    named.RequireFile("notifications.command.command[0]", "the program to run",
                      command->mutable_command(0), check);
  }
  check->Time("notifications.command.timeout", ToDuration(command->timeout()), absl::Seconds(1),
              absl::Minutes(10));
  check->Range("notifications.command.triesMax", command->tries_max(), 1, kTriesLimit);
}

}  // namespace

void FillNotifications(const YamlPlaces& places, Notifications* notifications) {
  if (notifications->events().empty()) {
    const auto& values = *Notifications::Event_descriptor();
    for (const std::string& word : EnumWords(values)) {
      const int number = FindEnumValue(values, word)->number();
      notifications->add_events(static_cast<Notifications::Event>(number));
    }
  }
  if (!notifications->has_worker_gone_after()) {
    *notifications->mutable_worker_gone_after() = ToProto(absl::Minutes(1));
  }
  if (notifications->has_webhook()) {
    NotificationWebhook& webhook = *notifications->mutable_webhook();
    if (!webhook.has_timeout()) *webhook.mutable_timeout() = ToProto(absl::Seconds(10));
    if (!places.Contains("notifications.webhook.triesMax")) webhook.set_tries_max(kWebhookTriesMax);
  }
  if (notifications->has_command()) {
    NotificationCommand& command = *notifications->mutable_command();
    if (!command.has_timeout()) *command.mutable_timeout() = ToProto(absl::Seconds(30));
    if (!places.Contains("notifications.command.triesMax")) command.set_tries_max(kCommandTriesMax);
  }
}

void CheckNotifications(const NamedFiles& named, Notifications* notifications, FieldCheck* check) {
  CheckEvents(*notifications, check);
  if (notifications->has_webhook()) CheckWebhook(named, notifications->mutable_webhook(), check);
  if (notifications->has_command()) CheckCommand(named, notifications->mutable_command(), check);
  check->Time("notifications.workerGoneAfter", ToDuration(notifications->worker_gone_after()),
              absl::ZeroDuration(), absl::Hours(24));
}

}  // namespace entente
