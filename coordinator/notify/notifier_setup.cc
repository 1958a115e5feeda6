// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/notifier_setup.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/config/proto_time.h"
#include "common/identity/certificate.h"
#include "coordinator/notify/command_sender.h"
#include "coordinator/notify/webhook_sender.h"

namespace entente::notify {
namespace {

using config::v1::NotificationCommand;
using config::v1::Notifications;
using config::v1::NotificationWebhook;

absl::StatusOr<std::string> ReadSecret(FileSystem& files, const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("notifications.webhook.secretFile: ", path, ": ", std::strerror(errno)));
  }
  if ((info.st_mode & (S_IRWXO | S_IRWXG)) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": other users may read or change the webhook's key; run chmod 600 ", path));
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(files, path, limits::kPemBytesMax));
  auto secret = ParseWebhookSecret(text);
  if (secret.ok()) return secret;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", secret.status().message()));
}

absl::Status CheckAuthority(FileSystem& files, const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  ENTENTE_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(files, path, limits::kPemBytesMax));
  const auto certificates = DescribeCertificates(pem);
  if (certificates.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("notifications.webhook.authority: ", path, ": ",
                                                 certificates.status().message()));
}

std::set<Event> EventsOf(const Notifications& config) {
  std::set<Event> events;
  for (const int event : config.events()) {
    switch (static_cast<Notifications::Event>(event)) {
      case Notifications::EVENT_JOB_FINISHED:
        events.insert(Event::kJobFinished);
        break;
      case Notifications::EVENT_JOB_FAILED:
        events.insert(Event::kJobFailed);
        break;
      case Notifications::EVENT_JOB_CANCELLED:
        events.insert(Event::kJobCancelled);
        break;
      case Notifications::EVENT_ROUND_ABORTED:
        events.insert(Event::kRoundAborted);
        break;
      case Notifications::EVENT_WORKER_GONE:
        events.insert(Event::kWorkerGone);
        break;
      default:  // The configuration was checked.
        break;
    }
  }
  return events;
}

bool IsLoopback(absl::string_view host) {
  return host == "localhost" || host == "::1" || absl::StartsWith(host, "127.");
}

absl::StatusOr<std::unique_ptr<NotificationSender>> MakeWebhook(FileSystem& files,
                                                                const NotificationWebhook& config,
                                                                const NotifierIdentity& identity,
                                                                const Clock* clock) {
  ENTENTE_ASSIGN_OR_RETURN(const HttpUrl url, ParseHttpUrl(config.url()));
  ENTENTE_ASSIGN_OR_RETURN(std::string secret, ReadSecret(files, config.secret_file()));
  if (!url.is_https && !IsLoopback(url.host)) {
    log::Warning("notifications go over plain http: whoever is on the way can read them",
                 {{"to", url.Origin()}});
  }
  return std::make_unique<WebhookSender>(WebhookSender::Options{
      .http = {.url = url,
               .authority_file = config.authority(),
               .timeout = ToDuration(config.timeout()),
               .answer_bytes_max = limits::kNotificationAnswerBytesMax,
               .user_agent = absl::StrCat("entente-coordinator/", identity.version)},
      .secret = std::move(secret),
      .coordinator = identity.coordinator,
      .clock = clock});
}

}  // namespace

absl::Status CheckNotificationFiles(FileSystem& files, const Notifications& config) {
  if (config.has_webhook()) {
    ENTENTE_RETURN_IF_ERROR(ReadSecret(files, config.webhook().secret_file()).status());
    ENTENTE_RETURN_IF_ERROR(CheckAuthority(files, config.webhook().authority()));
  }
  if (config.has_command()) {
    ENTENTE_RETURN_IF_ERROR(CheckProgram(config.command().command(0)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Notifier>> MakeNotifier(FileSystem& files,
                                                       const Notifications& config,
                                                       const NotifierIdentity& identity,
                                                       const Notifier::Dependencies& dependencies) {
  ENTENTE_RETURN_IF_ERROR(CheckNotificationFiles(files, config));
  std::vector<std::unique_ptr<NotificationQueue>> queues;
  const auto add = [&](std::unique_ptr<NotificationSender> sender, uint32_t tries_max) {
    log::Info("notifications are on", {{"to", sender->name()}});
    queues.push_back(std::make_unique<NotificationQueue>(
        std::move(sender), NotificationQueue::Options{.tries_max = tries_max},
        dependencies.random));
  };
  if (config.has_webhook()) {
    ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<NotificationSender> webhook,
                             MakeWebhook(files, config.webhook(), identity, dependencies.clock));
    add(std::move(webhook), config.webhook().tries_max());
  }
  if (config.has_command()) {
    add(std::make_unique<CommandSender>(CommandSender::Options{
            .command = {config.command().command().begin(), config.command().command().end()},
            .timeout = ToDuration(config.command().timeout()),
            .coordinator = identity.coordinator}),
        config.command().tries_max());
  }
  if (queues.empty()) return nullptr;
  return Notifier::Create(
      dependencies,
      {.events = EventsOf(config), .worker_gone_after = ToDuration(config.worker_gone_after())},
      std::move(queues));
}

}  // namespace entente::notify
