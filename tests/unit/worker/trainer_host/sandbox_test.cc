// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::worker {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

SandboxSpec SomeSpec() {
  return {.kind = SandboxKind::kBubblewrap,
          .bubblewrap = "/usr/bin/bwrap",
          .command = {"/opt/entente/entente-trainer", "--fast"},
          .data_folder = "/srv/data",
          .models_folder = "/var/lib/entente/models",
          .work_folder = "/var/lib/entente/trainer",
          .read_only_paths = {"/opt/venv"},
          .devices = {"/dev/nvidia0"},
          .threads = 4};
}

// Whether `words` appear in `argv` one after the other.
bool Has(const std::vector<std::string>& argv, const std::vector<std::string>& words) {
  return std::search(argv.begin(), argv.end(), words.begin(), words.end()) != argv.end();
}

TEST(SandboxTest, TakesEverythingAway) {
  const std::vector<std::string> argv = BuildLaunch(SomeSpec()).argv;

  EXPECT_EQ(argv.front(), "/usr/bin/bwrap");
  for (const char* wall :
       {"--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-user-try",
        "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv"}) {
    EXPECT_THAT(argv, Contains(wall));
  }
  EXPECT_TRUE(Has(argv, {"--cap-drop", "ALL"}));
  EXPECT_THAT(argv, Not(Contains("--share-net")));
}

TEST(SandboxTest, ShowsWhatTheTrainerNeedsAndWritesOnlyToItsFolder) {
  const std::vector<std::string> argv = BuildLaunch(SomeSpec()).argv;

  EXPECT_TRUE(Has(argv, {"--ro-bind", "/usr", "/usr"}));
  EXPECT_TRUE(Has(argv, {"--symlink", "usr/lib", "/lib"}));
  EXPECT_TRUE(Has(argv, {"--ro-bind-try", "/etc/alternatives", "/etc/alternatives"}));
  EXPECT_TRUE(Has(argv, {"--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"}));
  EXPECT_TRUE(Has(argv, {"--ro-bind", "/srv/data", "/entente/data"}));
  EXPECT_TRUE(Has(argv, {"--ro-bind", "/var/lib/entente/models", "/entente/models"}));
  EXPECT_TRUE(Has(argv, {"--bind", "/var/lib/entente/trainer", "/entente/work"}));
  EXPECT_EQ(std::count(argv.begin(), argv.end(), "--bind"), 1);
  EXPECT_TRUE(Has(argv, {"--ro-bind", "/opt/venv", "/opt/venv"}));
  EXPECT_TRUE(Has(argv, {"--dev-bind", "/dev/nvidia0", "/dev/nvidia0"}));
  EXPECT_TRUE(Has(argv, {"--setenv", "OMP_NUM_THREADS", "4"}));
  EXPECT_TRUE(Has(argv, {"--remount-ro", "/", "--chdir", "/entente/work", "--",
                         "/opt/entente/entente-trainer", "--fast"}));
}

TEST(SandboxTest, TheTrainerIsToldWhomItWorksForIfThatIsKnown) {
  SandboxSpec spec = SomeSpec();
  EXPECT_THAT(BuildLaunch(spec).argv, Not(Contains("TRACEPARENT")));

  spec.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_TRUE(Has(BuildLaunch(spec).argv, {"--setenv", "TRACEPARENT", spec.traceparent}));

  spec.kind = SandboxKind::kNone;
  EXPECT_THAT(BuildLaunch(spec).environment, Contains("TRACEPARENT=" + spec.traceparent));
}

TEST(SandboxTest, WhatIsLoggedDoesNotSayWhereTheDataIs) {
  SandboxSpec spec = SomeSpec();
  spec.data_folder = "/srv/data/";

  EXPECT_EQ(WithoutDataFolder(spec, "cannot read /srv/data/train.csv nor /srv/data"),
            "cannot read /entente/data/train.csv nor /entente/data");
  EXPECT_EQ(BuildLaunch(spec).clean_line("in /srv/data/x"), "in /entente/data/x");

  spec.data_folder = "";
  EXPECT_EQ(WithoutDataFolder(spec, "cannot read /srv/data"), "cannot read /srv/data");
}

TEST(SandboxTest, ShowsTheProgramAtItsOwnPlaceUnlessItIsThereAlready) {
  SandboxSpec spec = SomeSpec();
  EXPECT_TRUE(Has(BuildLaunch(spec).argv,
                  {"--ro-bind", "/opt/entente/entente-trainer", "/opt/entente/entente-trainer"}));

  spec.command = {"/usr/bin/python3", "trainer.py"};
  EXPECT_FALSE(Has(BuildLaunch(spec).argv, {"--ro-bind", "/usr/bin/python3"}));

  spec.command = {"/opt/venv/bin/python3"};
  EXPECT_FALSE(Has(BuildLaunch(spec).argv, {"--ro-bind", "/opt/venv/bin/python3"}));
}

TEST(SandboxTest, WithoutOneTheCommandIsStartedInItsFolder) {
  SandboxSpec spec = SomeSpec();
  spec.kind = SandboxKind::kNone;

  const ProcessSpec launch = BuildLaunch(spec);

  EXPECT_THAT(launch.argv, ElementsAre("/opt/entente/entente-trainer", "--fast"));
  EXPECT_EQ(launch.folder, "/var/lib/entente/trainer");
  EXPECT_THAT(launch.environment, Contains("OMP_NUM_THREADS=4"));
}

TEST(SandboxTest, NamesFoldersAsTheTrainerSeesThem) {
  SandboxSpec spec = SomeSpec();
  EXPECT_EQ(PathInside(spec, "/var/lib/entente/models/abc"), "/entente/models/abc");
  EXPECT_EQ(PathInside(spec, "/var/lib/entente/trainer/out"), "/entente/work/out");
  EXPECT_EQ(PathInside(spec, "/srv/data"), "/entente/data");
  EXPECT_EQ(PathInside(spec, "/srv/data-of-others"), "/srv/data-of-others");

  spec.kind = SandboxKind::kNone;
  EXPECT_EQ(PathInside(spec, "/srv/data"), "/srv/data");
}

TEST(SandboxTest, FindsAProgramInTheFirstFolderThatHasIt) {
  const TempFolder folder;
  const std::string program = folder.Write("b/tool", "");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  folder.Write("a/tool", "");  // Not executable.

  ASSERT_OK_AND_ASSIGN(const std::string found,
                       FindProgram("tool", {folder.File("a"), folder.File("b")}));

  EXPECT_EQ(found, program);
  EXPECT_THAT(FindProgram("tool", {folder.File("a")}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(folder.File("a/tool"))));
  EXPECT_THAT(FindProgram(folder.File("none"), {}), StatusIs(absl::StatusCode::kNotFound));
}

TEST(SandboxTest, SaysHowToGetBubblewrap) {
  const TempFolder empty;

  EXPECT_THAT(FindBubblewrap({empty.path()}),
              StatusIs(absl::StatusCode::kNotFound,
                       "bubblewrap is not installed: apt-get install bubblewrap, or set "
                       "trainer.sandbox to none to run without (not advised)"));
}

TEST(SandboxTest, AWorkingBubblewrapPassesItsCheck) {
  std::signal(SIGPIPE, SIG_IGN);
  ASSERT_OK_AND_ASSIGN(const std::string bubblewrap, FindBubblewrap({"/usr/bin"}));

  EXPECT_THAT(CheckBubblewrap(bubblewrap), IsOk());
}

TEST(SandboxTest, ABubblewrapThatMayNotWorkIsQuoted) {
  const TempFolder folder;
  const std::string broken = folder.Write(
      "bwrap", "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n");
  std::filesystem::permissions(broken, std::filesystem::perms::owner_all);

  EXPECT_THAT(CheckBubblewrap(broken),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("does not work on this machine (bwrap: No permissions to create "
                                 "new namespace)")));
}

}  // namespace
}  // namespace entente::worker
