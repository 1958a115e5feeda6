// SPDX-License-Identifier: Apache-2.0
#include "common/config/notifications_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/config/coordinator_config.h"
#include "common/config/proto_time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

using ::absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kAllButNotifications[] =
    "apiVersion: entente/v1\n"
    "kind: Coordinator\n"
    "dataDirectory: data\n"
    "tls: {certificate: a.pem, privateKey: a.pem}\n"
    "alliance: {trustDomain: alliance.example, authority: a.pem}\n"
    "members: [{id: fr-lab, jurisdiction: FR, trustDomain: fr-lab.example, authority: a.pem}]\n";

class NotificationsConfigTest : public testing::Test {
 protected:
  NotificationsConfigTest() { folder_.Write("a.pem", "not looked into"); }

  absl::StatusOr<config::v1::CoordinatorConfig> Load(absl::string_view notifications) {
    return LoadCoordinatorConfig(
        files_, folder_.Write("c.yaml", absl::StrCat(kAllButNotifications, "notifications: {",
                                                     notifications, "}\n")));
  }
  std::string Mistake(absl::string_view notifications) {
    const auto config = Load(notifications);
    EXPECT_THAT(config, StatusIs(StatusCode::kInvalidArgument));
    return std::string(config.status().message());
  }

  TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(NotificationsConfigTest, WithoutTheSectionNobodyIsTold) {
  ASSERT_OK_AND_ASSIGN(
      const auto config,
      LoadCoordinatorConfig(files_, folder_.Write("c.yaml", kAllButNotifications)));

  EXPECT_FALSE(config.has_notifications());
}

TEST_F(NotificationsConfigTest, DefaultsAreFilledInAndPathsMadeAbsolute) {
  ASSERT_OK_AND_ASSIGN(const auto config,
                       Load("webhook: {url: 'https://example.org/hook', secretFile: a.pem}, "
                            "command: {command: [a.pem, --to, ops]}"));

  const config::v1::Notifications& notifications = config.notifications();
  EXPECT_EQ(notifications.events_size(), 5);
  EXPECT_EQ(ToDuration(notifications.worker_gone_after()), absl::Minutes(1));
  EXPECT_EQ(notifications.webhook().secret_file(), folder_.File("a.pem"));
  EXPECT_EQ(ToDuration(notifications.webhook().timeout()), absl::Seconds(10));
  EXPECT_EQ(notifications.webhook().tries_max(), 8);
  EXPECT_EQ(notifications.command().command(0), folder_.File("a.pem"));
  EXPECT_EQ(notifications.command().command(1), "--to");
  EXPECT_EQ(ToDuration(notifications.command().timeout()), absl::Seconds(30));
  EXPECT_EQ(notifications.command().tries_max(), 3);
}

TEST_F(NotificationsConfigTest, UnknownEventIsNamedWithTheNearest) {
  EXPECT_THAT(Mistake("events: [job_finished, worker_gon]"),
              AllOf(HasSubstr("worker_gon"), HasSubstr("did you mean \"worker_gone\"?")));
  EXPECT_THAT(Mistake("events: [job_failed, job_failed]"),
              HasSubstr("events[1] is \"job_failed\""));
}

TEST_F(NotificationsConfigTest, UrlOfAnotherSchemeIsRefusedWithoutShowingIt) {
  EXPECT_THAT(Mistake("webhook: {url: 'ftp://example.org/T0ken', secretFile: a.pem}"),
              AllOf(HasSubstr("notifications.webhook.url is no URL that can be posted to; it must "
                              "begin with https:// or http://"),
                    Not(HasSubstr("T0ken"))));
  EXPECT_THAT(Mistake("webhook: {secretFile: a.pem}"),
              HasSubstr("notifications.webhook.url is missing"));
}

TEST_F(NotificationsConfigTest, FilesMustBeThere) {
  EXPECT_THAT(Mistake("webhook: {url: 'https://example.org/', secretFile: nowhere}"),
              HasSubstr("which is not there; it must be the file with the key"));
  EXPECT_THAT(Mistake("webhook: {url: 'https://example.org/'}"),
              HasSubstr("notifications.webhook.secretFile is missing"));
  EXPECT_THAT(
      Mistake("webhook: {url: 'https://example.org/', secretFile: a.pem, authority: nowhere}"),
      HasSubstr("notifications.webhook.authority names"));
  EXPECT_THAT(Mistake("command: {command: [nowhere]}"), HasSubstr("it must be the program to run"));
  EXPECT_THAT(Mistake("command: {timeout: 5s}"),
              HasSubstr("notifications.command.command is missing"));
}

TEST_F(NotificationsConfigTest, NumbersHaveTheirRanges) {
  EXPECT_THAT(Mistake("webhook: {url: 'https://example.org/', secretFile: a.pem, timeout: 10ms}"),
              HasSubstr("notifications.webhook.timeout"));
  EXPECT_THAT(Mistake("webhook: {url: 'https://example.org/', secretFile: a.pem, triesMax: 0}"),
              HasSubstr("notifications.webhook.triesMax is 0; it must be 1 to 20"));
  EXPECT_THAT(Mistake("command: {command: [a.pem], triesMax: 21}"),
              HasSubstr("notifications.command.triesMax is 21"));
  EXPECT_THAT(Mistake("workerGoneAfter: 2d"), HasSubstr("notifications.workerGoneAfter"));
}

}  // namespace
}  // namespace entente
