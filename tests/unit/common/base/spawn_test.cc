// SPDX-License-Identifier: Apache-2.0
#include "common/base/spawn.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <string>

#include "common/base/file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

class SpawnTest : public ::testing::Test {
 protected:
  // What the shell says on its standard output.
  std::string OutputOf(const std::string& script) {
    const OwnedDescriptor output(
        open(folder_.File("output").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    SpawnSpec spec = Shell(script);
    spec.output = output.get();
    const auto process = Spawn(spec);
    EXPECT_THAT(process, IsOk());
    EXPECT_EQ(WaitForEnd(process->pid).code, 0);
    PosixFileSystem files;
    return *ReadTextFile(files, folder_.File("output"), 1 << 20);
  }
  SpawnSpec Shell(const std::string& script) const {
    return {.argv = {"/bin/sh", "-c", script}, .environment = {"NAME=value"}, .folder = "/"};
  }

  const TempFolder folder_;
};

TEST_F(SpawnTest, ExitStatusIsTold) {
  ASSERT_OK_AND_ASSIGN(const SpawnedProcess process, Spawn(Shell("exit 7")));

  EXPECT_EQ(WaitForEnd(process.pid).code, 7);
}

TEST_F(SpawnTest, SignalIsToldAsShellsDo) {
  ASSERT_OK_AND_ASSIGN(const SpawnedProcess process, Spawn(Shell("kill -9 $$")));

  const ProcessEnd end = WaitForEnd(process.pid);

  EXPECT_EQ(end.code, 128 + SIGKILL);
  EXPECT_TRUE(end.by_signal);
}

TEST_F(SpawnTest, HighExitStatusIsNoSignal) {
  ASSERT_OK_AND_ASSIGN(const SpawnedProcess process, Spawn(Shell("exit 255")));

  const ProcessEnd end = WaitForEnd(process.pid);

  EXPECT_EQ(end.code, 255);
  EXPECT_FALSE(end.by_signal);
}

TEST_F(SpawnTest, EndCanBeWaitedFor) {
  ASSERT_OK_AND_ASSIGN(const SpawnedProcess process, Spawn(Shell("exit 0")));

  pollfd wait = {.fd = process.ended.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&wait, 1, 30'000), 1);
  EXPECT_EQ(WaitForEnd(process.pid).code, 0);
}

TEST_F(SpawnTest, NothingIsInheritedButWhatIsNamed) {
  EXPECT_EQ(OutputOf("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD="), "NAME=value\n");
  EXPECT_EQ(OutputOf("pwd"), "/\n");
  EXPECT_EQ(OutputOf("cat"), "");

  // Not marked to be closed by exec(3).
  const OwnedDescriptor inheritable(open("/dev/null", O_RDONLY));
  EXPECT_EQ(OutputOf("ls /proc/self/fd | wc -l"), "4\n");  // The three, and ls's own.
}

TEST_F(SpawnTest, SignalsAreNeitherBlockedNorIgnored) {
  const auto before = signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(OutputOf("grep ^SigBlk /proc/self/status | cut -f 2"), "0000000000000000\n");
  const uint64_t ignored =
      std::stoull(OutputOf("grep ^SigIgn /proc/self/status | cut -f 2"), nullptr, 16);
  EXPECT_EQ(ignored & uint64_t{1} << (SIGPIPE - 1), 0);
  signal(SIGPIPE, before);
}

TEST_F(SpawnTest, ProcessGroupIsItsOwnIfItIsToBe) {
  const std::string group_is_own = "read -r _ _ _ _ group _ </proc/$$/stat; test $group = $$";
  ASSERT_OK_AND_ASSIGN(const SpawnedProcess own, Spawn(Shell(group_is_own)));
  EXPECT_EQ(WaitForEnd(own.pid).code, 0);

  SpawnSpec spec = Shell(group_is_own);
  spec.has_own_group = false;
  ASSERT_OK_AND_ASSIGN(const SpawnedProcess ours, Spawn(spec));
  EXPECT_EQ(WaitForEnd(ours.pid).code, 1);
}

TEST_F(SpawnTest, ProgramThatIsNotThereIsNamed) {
  EXPECT_THAT(Spawn({.argv = {"/no/such/program"}, .environment = {}, .folder = "/"}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("/no/such/program")));
}

}  // namespace
}  // namespace entente
