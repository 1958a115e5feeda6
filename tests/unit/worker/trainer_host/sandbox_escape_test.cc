// SPDX-License-Identifier: Apache-2.0
// The wall itself: a trainer that tries to get out of its sandbox, and of none.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>
#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "worker/trainer_host/trainer_host.h"

namespace entente::worker {
namespace {

class SandboxEscapeTest : public testing::Test {
 protected:
  SandboxEscapeTest() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::signal(SIGPIPE, SIG_IGN);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_.get(), generic, size), 0);
    EXPECT_EQ(listen(listener_.get(), 8), 0);
    EXPECT_EQ(getsockname(listener_.get(), generic, &size), 0);
    port_ = ntohs(address.sin_port);
    folder_.Write("data/train.csv", "x,y\n1,2\n");
    folder_.Write("models/program", "a model");
    secret_ = folder_.Write("secret", "none of its business");
  }

  // What the trainer says it managed.
  std::string Report(SandboxKind kind) {
    TrainerHost host({.sandbox = {.kind = kind,
                                  .bubblewrap = "/usr/bin/bwrap",
                                  .command = {ENTENTE_BINARY_DIR "/escaping_trainer",
                                              std::to_string(port_), secret_},
                                  .data_folder = "",
                                  .models_folder = folder_.File("models"),
                                  .work_folder = folder_.File("work"),
                                  .read_only_paths = {},
                                  .devices = {}},
                      .device = "cpu",
                      .silence_max = absl::Seconds(30)});
    return std::string(host.Prepare({.key = "a",
                                     .recipe = nlohmann::ordered_json::object(),
                                     .dataset_format = "csv",
                                     .dataset_folder = folder_.File("data"),
                                     .program = folder_.File("models/program")},
                                    CancelToken())
                           .message());
  }

  TempFolder folder_;
  OwnedDescriptor listener_;
  int port_ = 0;
  std::string secret_;
};

TEST_F(SandboxEscapeTest, NothingGetsOutOfTheSandbox) {
  EXPECT_EQ(
      Report(SandboxKind::kBubblewrap),
      "the trainer says: connect failed, read failed, passwd failed, beside failed, into data "
      "failed, into models failed, privileges failed, own data done, own model done, own "
      "folder done");
  EXPECT_FALSE(std::filesystem::exists(folder_.File("escaped")));
  EXPECT_FALSE(std::filesystem::exists(folder_.File("data/escaped")));
  EXPECT_TRUE(std::filesystem::exists(folder_.File("work/result")));
}

// The control: the same trainer gets everywhere when nothing holds it, so the test above can fail.
TEST_F(SandboxEscapeTest, WithoutASandboxEverythingIsOpen) {
  const std::string report = Report(SandboxKind::kNone);

  // Whether privileges may be gained is the test machine's matter.
  EXPECT_THAT(report,
              testing::StartsWith("the trainer says: connect done, read done, passwd done, beside "
                                  "done, into data done, into models done"));
  EXPECT_TRUE(std::filesystem::exists(folder_.File("escaped")));
  EXPECT_TRUE(std::filesystem::exists(folder_.File("data/escaped")));
}

}  // namespace
}  // namespace entente::worker
