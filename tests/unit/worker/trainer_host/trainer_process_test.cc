// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/trainer_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "common/base/limits.h"
#include "tests/support/status_matchers.h"

namespace entente::worker {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kLongEnough = absl::Seconds(30);

class TrainerProcessTest : public testing::Test {
 protected:
  TrainerProcessTest() { std::signal(SIGPIPE, SIG_IGN); }

  static std::unique_ptr<TrainerProcess> Shell(const std::string& script,
                                               absl::Duration poll_max = absl::Hours(1)) {
    auto process = TrainerProcess::Start({.argv = {"/bin/bash", "-c", script},
                                          .environment = {"NAME=value"},
                                          .folder = "/",
                                          .poll_max = poll_max});
    EXPECT_THAT(process, IsOk());
    return *std::move(process);
  }
};

TEST_F(TrainerProcessTest, SpeaksInLines) {
  const auto process = Shell("while read -r line; do echo \"heard $line\"; done");

  ASSERT_THAT(process->WriteLine("one", kLongEnough), IsOk());
  ASSERT_THAT(process->WriteLine("two", kLongEnough), IsOk());

  ASSERT_OK_AND_ASSIGN(const std::string first, process->ReadLine(kLongEnough));
  EXPECT_EQ(first, "heard one");
  ASSERT_OK_AND_ASSIGN(const std::string second, process->ReadLine(kLongEnough));
  EXPECT_EQ(second, "heard two");
  EXPECT_FALSE(process->HasEnded());
}

TEST_F(TrainerProcessTest, HasTheGivenEnvironmentAndNoOther) {
  const auto process = Shell("echo \"$NAME,$HOME\"");

  ASSERT_OK_AND_ASSIGN(const std::string line, process->ReadLine(kLongEnough));

  EXPECT_EQ(line, "value,");
}

TEST_F(TrainerProcessTest, InheritsNoDescriptorOfOurs) {
  const auto process = Shell("cd /proc/self/fd; echo *");

  ASSERT_OK_AND_ASSIGN(const std::string line, process->ReadLine(kLongEnough));

  // 3 or 255 are the shell's own.
  EXPECT_THAT(line, testing::MatchesRegex("0 1 2( 255)?( 3)?"));
}

TEST_F(TrainerProcessTest, SaysWithWhichExitStatusItEnded) {
  const auto process = Shell("echo last; exit 3");

  ASSERT_THAT(process->ReadLine(kLongEnough), IsOk());
  EXPECT_THAT(process->ReadLine(kLongEnough),
              StatusIs(absl::StatusCode::kUnavailable, "the trainer ended with exit status 3"));
  EXPECT_EQ(process->ExitCode(), 3);
}

TEST_F(TrainerProcessTest, SaysWithWhichSignalItEnded) {
  const auto process = Shell("kill -SEGV $$");

  EXPECT_THAT(process->ReadLine(kLongEnough),
              StatusIs(absl::StatusCode::kUnavailable,
                       "the trainer ended with signal 11 (Segmentation fault)"));
}

TEST_F(TrainerProcessTest, TakesAShellsExitStatusForItsSignal) {
  const auto process = Shell("exit 139");

  EXPECT_THAT(process->ReadLine(kLongEnough),
              StatusIs(absl::StatusCode::kUnavailable,
                       "the trainer ended with signal 11 (Segmentation fault)"));
}

TEST_F(TrainerProcessTest, KeepsItsLastWordsToThisSite) {
  const auto process = Shell("echo first >&2; echo 'no memory left' >&2; exit 1");

  EXPECT_THAT(
      process->ReadLine(kLongEnough),
      StatusIs(absl::StatusCode::kUnavailable,
               "the trainer ended with exit status 1; what it said is in its worker's log"));
  EXPECT_EQ(process->last_error_line(), "no memory left");
}

TEST_F(TrainerProcessTest, WhatItSaysIsEscapedOnceInTheLog) {
  testing::internal::CaptureStderr();
  const auto process = Shell("echo 'no \"train\\1.csv\" f\xc3\xbcr uns' >&2; exit 1");

  const absl::Status ended = process->ReadLine(kLongEnough).status();

  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("line=\"no \\\"train\\\\1.csv\\\" f\xc3\xbcr uns\"\n"));
  EXPECT_THAT(ended, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(process->last_error_line(), "no \\\"train\\\\1.csv\\\" f\xc3\xbcr uns");
}

TEST_F(TrainerProcessTest, GivesUpOnASilentOne) {
  const auto process = Shell("read -r");

  EXPECT_THAT(process->ReadLine(absl::Milliseconds(20)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(TrainerProcessTest, SilenceLongerThanOneWaitOfTheKernelIsWaitedFor) {
  const auto process = Shell("sleep 0.3; echo ready; read -r", absl::Milliseconds(10));

  ASSERT_OK_AND_ASSIGN(const std::string line, process->ReadLine(kLongEnough));
  EXPECT_EQ(line, "ready");

  EXPECT_THAT(process->ReadLine(absl::Milliseconds(50)),
              StatusIs(absl::StatusCode::kDeadlineExceeded))
      << "its own limit still holds";
}

TEST_F(TrainerProcessTest, OneThatReadsLateIsWaitedForLongerThanOneWaitOfTheKernel) {
  const auto process = Shell("sleep 0.3; exec cat > /dev/null", absl::Milliseconds(10));

  EXPECT_THAT(process->WriteLine(std::string(1 << 20, 'x'), kLongEnough), IsOk());
}

TEST_F(TrainerProcessTest, ALineWithoutEndIsRefused) {
  const auto process = Shell("exec tr '\\0' x < /dev/zero");

  EXPECT_THAT(process->ReadLine(kLongEnough),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 1048576 bytes")));
}

TEST_F(TrainerProcessTest, ALineOfTheLimitIsTaken) {
  const auto process = Shell("head -c " + std::to_string(limits::kTrainerLineBytesMax) +
                             " /dev/zero | tr '\\0' x; echo");

  ASSERT_OK_AND_ASSIGN(const std::string line, process->ReadLine(kLongEnough));

  EXPECT_EQ(line.size(), limits::kTrainerLineBytesMax);
}

TEST_F(TrainerProcessTest, WritingToOneThatEndedSaysHowItEnded) {
  const auto process = Shell("exit 4");
  ASSERT_TRUE(process->WaitForEnd(kLongEnough));

  EXPECT_THAT(process->WriteLine("hello", kLongEnough),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("exit status 4")));
}

TEST_F(TrainerProcessTest, OneThatDoesNotReadIsGivenUp) {
  const auto process = Shell("exec sleep 600");

  EXPECT_THAT(process->WriteLine(std::string(4 << 20, 'x'), absl::Milliseconds(50)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(TrainerProcessTest, ClosingItsOutputIsItsEnd) {
  const auto process = Shell("exec 1>&-; exec sleep 600");

  EXPECT_THAT(process->ReadLine(kLongEnough),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("closed its standard output")));
  EXPECT_TRUE(process->HasEnded());
}

TEST_F(TrainerProcessTest, KillFromAnotherThreadEndsTheWait) {
  const auto process = Shell("sleep 600 & wait");
  std::thread killer([&] { process->Kill(); });

  EXPECT_THAT(process->ReadLine(kLongEnough),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("signal 9")));
  killer.join();
}

TEST_F(TrainerProcessTest, StopKillsOneThatDoesNotListen) {
  const auto process = Shell("trap '' TERM; echo ready; while true; do read -r; done");
  ASSERT_THAT(process->ReadLine(kLongEnough), IsOk());

  process->Stop(absl::Milliseconds(50));

  EXPECT_TRUE(process->HasEnded());
  EXPECT_EQ(process->ExitCode(), 128 + SIGKILL);
}

TEST_F(TrainerProcessTest, TheEndOfItsInputTellsItToEnd) {
  const auto process = Shell("echo ready; while read -r; do :; done; exit 7");
  ASSERT_THAT(process->ReadLine(kLongEnough), IsOk());

  process->Stop(kLongEnough);

  EXPECT_EQ(process->ExitCode(), 7);
}

TEST_F(TrainerProcessTest, OneThatDoesNotMindItsInputIsTerminated) {
  const auto process =
      Shell("trap 'exit 8' TERM; echo ready; while true; do read -r -t 0.01; done");
  ASSERT_THAT(process->ReadLine(kLongEnough), IsOk());

  process->Stop(absl::Seconds(1));

  EXPECT_EQ(process->ExitCode(), 8);
}

TEST_F(TrainerProcessTest, AMissingProgramIsNamed) {
  EXPECT_THAT(
      TrainerProcess::Start({.argv = {"/no/such/trainer"}, .environment = {}, .folder = "/"}),
      StatusIs(absl::StatusCode::kUnavailable,
               "cannot start /no/such/trainer: No such file or directory"));
}

}  // namespace
}  // namespace entente::worker
