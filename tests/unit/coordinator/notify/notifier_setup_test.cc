// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/notifier_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/base/timer_queue.h"
#include "common/config/proto_time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::notify {
namespace {

using ::absl::StatusCode;
using std::filesystem::perms;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class NotifierSetupTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text, perms mode) {
    std::string path = folder_.Write(name, text);
    std::filesystem::permissions(path, mode);
    return path;
  }
  config::v1::Notifications Webhook(const std::string& secret_file) {
    config::v1::Notifications config;
    config.add_events(config::v1::Notifications::EVENT_JOB_FAILED);
    config.mutable_webhook()->set_url("http://127.0.0.1:9/hook");
    config.mutable_webhook()->set_secret_file(secret_file);
    config.mutable_webhook()->set_tries_max(1);
    *config.mutable_webhook()->mutable_timeout() = ToProto(absl::Seconds(1));
    return config;
  }
  std::string GoodSecret() {
    return Write("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", perms(0600));
  }

  const TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(NotifierSetupTest, AGoodSecretAndProgramAreFine) {
  config::v1::Notifications config = Webhook(GoodSecret());
  config.mutable_command()->add_command(Write("tell", "#!/bin/sh\n", perms(0700)));

  EXPECT_THAT(CheckNotificationFiles(files_, config), IsOk());
}

TEST_F(NotifierSetupTest, ASecretThatOthersCanReadIsRefusedWithTheRemedy) {
  for (const perms mode : {perms(0644), perms(0640), perms(0604), perms(0620)}) {
    const std::string secret = Write("open", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", mode);
    EXPECT_THAT(CheckNotificationFiles(files_, Webhook(secret)),
                StatusIs(StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("other users may read or change the webhook's key"),
                               HasSubstr("run chmod 600 " + secret), Not(HasSubstr("MfKQ")))));
  }
}

TEST_F(NotifierSetupTest, ASecretThatIsGoneOrNoneIsNamed) {
  EXPECT_THAT(CheckNotificationFiles(files_, Webhook(folder_.File("nowhere"))),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr(folder_.File("nowhere"))));
  const std::string weak = Write("weak", "hunter2", perms(0600));
  EXPECT_THAT(CheckNotificationFiles(files_, Webhook(weak)),
              StatusIs(StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(weak), HasSubstr("whsec_"), Not(HasSubstr("hunter2")))));
}

TEST_F(NotifierSetupTest, AnAuthorityThatIsNoneIsNamed) {
  config::v1::Notifications config = Webhook(GoodSecret());
  config.mutable_webhook()->set_authority(folder_.Write("ca.pem", "no PEM"));

  EXPECT_THAT(CheckNotificationFiles(files_, config),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr(folder_.File("ca.pem"))));
}

TEST_F(NotifierSetupTest, AProgramThatCannotBeRunIsNamed) {
  config::v1::Notifications config;
  config.mutable_command()->add_command(folder_.Write("plain", "text"));

  EXPECT_THAT(CheckNotificationFiles(files_, config),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("notifications.command: " + folder_.File("plain"))));
}

TEST_F(NotifierSetupTest, WithoutAReceiverThereIsNoNotifier) {
  const SystemClock clock;
  SystemRandomSource random;
  TimerQueue timers(&clock);
  const members::WorkerRegistry workers({}, &clock, 1);
  const Notifier::Dependencies dependencies{.clock = &clock,
                                            .steady_clock = &clock,
                                            .random = &random,
                                            .pauses = &timers,
                                            .workers = &workers};

  ASSERT_OK_AND_ASSIGN(const auto none, MakeNotifier(files_, {}, {}, dependencies));
  EXPECT_EQ(none, nullptr);
  ASSERT_OK_AND_ASSIGN(const auto one,
                       MakeNotifier(files_, Webhook(GoodSecret()), {}, dependencies));
  EXPECT_NE(one, nullptr);
}

}  // namespace
}  // namespace entente::notify
