// SPDX-License-Identifier: Apache-2.0
#include "cli/interruption.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "absl/time/clock.h"
#include "tests/support/status_matchers.h"

namespace entente::cli {
namespace {

TEST(InterruptionTest, CallbackRunsOnceWhenTriggered) {
  Interruption interruption;
  int calls = 0;
  const auto registration = interruption.OnTrigger([&calls] { ++calls; });

  interruption.Trigger();
  interruption.Trigger();

  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(interruption.triggered());
  EXPECT_THAT(interruption.Check(), StatusIs(absl::StatusCode::kCancelled, "interrupted"));
}

TEST(InterruptionTest, CallbackRegisteredTooLateRunsAtOnce) {
  Interruption interruption;
  interruption.Trigger();
  int calls = 0;

  const auto registration = interruption.OnTrigger([&calls] { ++calls; });

  EXPECT_EQ(calls, 1);
}

TEST(InterruptionTest, CallbackThatIsGoneDoesNotRun) {
  Interruption interruption;
  int calls = 0;
  interruption.OnTrigger([&calls] { ++calls; }).reset();

  interruption.Trigger();

  EXPECT_EQ(calls, 0);
}

TEST(InterruptionTest, WaitEndsWithTheTimeOrTheInterruption) {
  Interruption interruption;
  EXPECT_FALSE(interruption.WaitFor(absl::Milliseconds(1)));
  EXPECT_THAT(interruption.Check(), IsOk());

  interruption.Trigger();

  EXPECT_TRUE(interruption.WaitFor(absl::Hours(1)));
}

TEST(InterruptionTest, WaitEndsWhenAnotherThreadInterruptsIt) {
  Interruption interruption;
  std::thread other([&interruption] {
    absl::SleepFor(absl::Milliseconds(5));
    interruption.Trigger();
  });

  EXPECT_TRUE(interruption.WaitFor(absl::Hours(1)));

  other.join();
}

// In a process of its own: the signal may go to any thread that does not block it.
TEST(InterruptionDeathTest, SignalTriggersIt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Interruption interruption;
        const SignalWatcher watcher(&interruption);
        kill(getpid(), SIGINT);
        _exit(interruption.WaitFor(absl::Seconds(30)) ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(InterruptionDeathTest, HangupTriggersItToo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Interruption interruption;
        const SignalWatcher watcher(&interruption);
        kill(getpid(), SIGHUP);
        _exit(interruption.WaitFor(absl::Seconds(30)) ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

// nohup ignores it for what it starts.
TEST(InterruptionDeathTest, HangupThatIsIgnoredStaysSo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        signal(SIGHUP, SIG_IGN);
        Interruption interruption;
        const SignalWatcher watcher(&interruption);
        kill(getpid(), SIGHUP);
        kill(getpid(),
             SIGTERM);  // After it: a hangup that counted would have made this the second.
        _exit(interruption.WaitFor(absl::Seconds(30)) ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace entente::cli
