// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/command_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "absl/strings/str_split.h"
#include "common/base/file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::notify {
namespace {

using ::absl::StatusCode;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class CommandSenderTest : public testing::Test {
 protected:
  std::string WriteProgram(const std::string& script) {
    const std::string path = folder_.Write("tell", "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  absl::Status Send(const std::string& script, absl::Duration timeout = absl::Seconds(30)) {
    CommandSender sender({.command = {WriteProgram(script), folder_.File("out")},
                          .timeout = timeout,
                          .coordinator = "c"});
    return sender.Send({.id = "msg_1", .event = Event::kJobFailed, .reason = "no quorum"});
  }
  std::string Out() {
    const auto text = ReadTextFile(files_, folder_.File("out"), 1 << 20);
    return text.ok() ? *text : "";
  }

  const TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(CommandSenderTest, TheProgramReadsTheNotificationAndItsEnd) {
  EXPECT_THAT(Send("cat > \"$1\""), IsOk());

  EXPECT_THAT(Out(), HasSubstr(R"("event":"job_failed")"));
  EXPECT_EQ(Out().back(), '\n');
}

TEST_F(CommandSenderTest, NothingOfOurEnvironmentOrDescriptorsReachesIt) {
  setenv("ENTENTE_TEST_SECRET", "hunter2", 1);
  EXPECT_THAT(Send("env -u PWD -u OLDPWD -u _ > \"$1\""), IsOk());
  unsetenv("ENTENTE_TEST_SECRET");

  EXPECT_THAT(std::vector<std::string>(absl::StrSplit(Out(), '\n', absl::SkipEmpty())),
              UnorderedElementsAre("PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/", "LANG=C.UTF-8"));

  EXPECT_THAT(Send("ls /proc/self/fd | wc -l > \"$1\""), IsOk());
  EXPECT_EQ(Out(), "4\n");  // The three standard ones, and ls's own.
}

TEST_F(CommandSenderTest, AProgramThatReadsNothingIsFine) { EXPECT_THAT(Send("exit 0"), IsOk()); }

TEST_F(CommandSenderTest, AnExitStatusSaysThatItDidNotWork) {
  EXPECT_THAT(Send("exit 3"), StatusIs(StatusCode::kUnavailable, "it ended with exit status 3"));
  EXPECT_THAT(Send("exit 255"),
              StatusIs(StatusCode::kUnavailable, "it ended with exit status 255"));
  EXPECT_THAT(Send("kill -9 $$"), StatusIs(StatusCode::kUnavailable, "it was ended by signal 9"));
}

TEST_F(CommandSenderTest, OneThatHangsIsKilledWithWhatItStarted) {
  // Long enough to write the number down first.
  EXPECT_THAT(Send("sleep 1000 & echo $! > \"$1\"; wait", absl::Seconds(5)),
              StatusIs(StatusCode::kDeadlineExceeded, HasSubstr("was killed")));

  const int child = std::stoi(Out());
  // Whoever inherits it reaps it; until then it is there, but dead.
  const auto is_gone = [child] {
    PosixFileSystem files;
    const auto stat = ReadTextFile(files, "/proc/" + std::to_string(child) + "/stat", 4096);
    return !stat.ok() || absl::StrContains(*stat, ") Z ");
  };
  for (int i = 0; i < 3000 && !is_gone(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(is_gone());
}

TEST_F(CommandSenderTest, AStopKillsIt) {
  CommandSender sender(
      {.command = {WriteProgram("echo started > \"$1\"; sleep 1000"), folder_.File("out")},
       .timeout = absl::Hours(1),
       .coordinator = "c"});
  absl::Status status;
  std::thread sending([&] { status = sender.Send({.id = "msg_1"}); });
  while (Out().empty()) std::this_thread::yield();

  sender.Cancel();
  sending.join();

  EXPECT_THAT(status, StatusIs(StatusCode::kCancelled));
  EXPECT_THAT(sender.Send({.id = "msg_2"}), StatusIs(StatusCode::kCancelled));
}

TEST_F(CommandSenderTest, AProgramThatIsGoneIsNamed) {
  CommandSender sender({.command = {folder_.File("nowhere")}, .coordinator = "c"});

  EXPECT_THAT(sender.Send({.id = "msg_1"}),
              StatusIs(StatusCode::kUnavailable, HasSubstr(folder_.File("nowhere"))));
}

TEST_F(CommandSenderTest, WhatCannotBeRunIsNoProgram) {
  EXPECT_THAT(CheckProgram(WriteProgram("exit 0")), IsOk());
  EXPECT_THAT(CheckProgram(folder_.Write("plain", "text")),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("run chmod +x")));
  EXPECT_THAT(CheckProgram(folder_.path()), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckProgram(folder_.File("nowhere")), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entente::notify
