// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/machine_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr uint64_t kMebibyteBytes = uint64_t{1} << 20;
constexpr char kMeminfo[] =
    "MemTotal:       16315784 kB\nMemFree:         1000000 kB\nMemAvailable:    2097152 kB\n";

Finding Disk(const std::string& folder, uint64_t bytes_min) {
  PosixFileSystem files;
  Examination examination;
  CheckDisk(files, folder, bytes_min, "make room", &examination);
  return examination.findings()[0];
}

Finding Memory(const MemoryTexts& texts, uint64_t bytes_min) {
  Examination examination;
  CheckMemory(texts, bytes_min, &examination);
  return examination.findings()[0];
}

TEST(MachineChecksTest, DiskWithRoomIsWell) {
  const TempFolder folder;
  EXPECT_EQ(Disk(folder.path(), 1).verdict, Verdict::kOk);
}

TEST(MachineChecksTest, DiskWithoutRoomFails) {
  const TempFolder folder;

  const Finding finding = Disk(folder.path(), uint64_t{1} << 60);

  EXPECT_EQ(finding.verdict, Verdict::kFail);
  EXPECT_THAT(finding.seen, AllOf(HasSubstr("free at"), HasSubstr("less than 1.0 EiB")));
  EXPECT_EQ(finding.fix, "make room");
}

TEST(MachineChecksTest, DiskWithLittleRoomIsWarnedAbout) {
  const TempFolder folder;
  PosixFileSystem files;
  // Others write meanwhile: somewhere between all and half of what is free.
  const uint64_t free_bytes = *files.FreeBytes(folder.path());

  EXPECT_EQ(Disk(folder.path(), free_bytes / 4 * 3).verdict, Verdict::kWarn);
}

TEST(MachineChecksTest, FolderThatIsYetToBeMadeIsMeasuredWhereItWillBe) {
  const TempFolder folder;

  const Finding finding = Disk(folder.File("not/yet/there"), 1);

  EXPECT_EQ(finding.verdict, Verdict::kOk);
  EXPECT_THAT(finding.seen, HasSubstr(folder.path()));
}

TEST(MachineChecksTest, AvailableMemoryIsTheMachinesOrTheControlGroupsIfThatIsLess) {
  EXPECT_EQ(AvailableMemory({.meminfo = kMeminfo, .cgroup_max = "max\n", .cgroup_current = "1\n"}),
            uint64_t{2} << 30);
  EXPECT_EQ(
      AvailableMemory(
          {.meminfo = kMeminfo, .cgroup_max = "1073741824\n", .cgroup_current = "536870912\n"}),
      uint64_t{512} << 20);
  EXPECT_EQ(AvailableMemory({.meminfo = "", .cgroup_max = "10\n", .cgroup_current = "20\n"}), 0);
  EXPECT_EQ(AvailableMemory({.meminfo = "nonsense", .cgroup_max = "", .cgroup_current = ""}),
            std::nullopt);
}

// A container that has read a large file is as full as its limit allows, and well.
TEST(MachineChecksTest, CopiesOfFilesThatNobodyUsesCountAsFree) {
  MemoryTexts texts = {.meminfo = kMeminfo,
                       .cgroup_max = "1073741824\n",
                       .cgroup_current = "1072693248\n",
                       .cgroup_stat = "anon 1048576\nfile 1071644672\ninactive_file 536870912\n"};
  EXPECT_EQ(AvailableMemory(texts), 513 * kMebibyteBytes);
  EXPECT_EQ(Memory(texts, 256 * kMebibyteBytes).verdict, Verdict::kOk);

  // Version 1: what the groups below have is in the total.
  texts.cgroup_stat = "inactive_file 4096\ntotal_cache 1\ntotal_inactive_file 268435456\n";
  EXPECT_EQ(AvailableMemory(texts), 257 * kMebibyteBytes);

  // What is read at two moments need not fit together.
  texts.cgroup_stat = "inactive_file 18446744073709551615\n";
  EXPECT_EQ(AvailableMemory(texts), 1024 * kMebibyteBytes);

  texts.cgroup_stat = "nonsense\ninactive_file\ninactive_file x\n";
  EXPECT_EQ(AvailableMemory(texts), kMebibyteBytes);
}

TEST(MachineChecksTest, LittleMemoryIsWarnedAboutAndTooLittleFails) {
  const MemoryTexts two_gib = {.meminfo = kMeminfo, .cgroup_max = "", .cgroup_current = ""};

  EXPECT_EQ(Memory(two_gib, 512 * kMebibyteBytes).verdict, Verdict::kOk);
  EXPECT_EQ(Memory(two_gib, 1500 * kMebibyteBytes).verdict, Verdict::kWarn);
  EXPECT_EQ(Memory(two_gib, 3000 * kMebibyteBytes).verdict, Verdict::kFail);
  EXPECT_EQ(Memory({.meminfo = "", .cgroup_max = "", .cgroup_current = ""}, 1).verdict,
            Verdict::kWarn);
}

TEST(MachineChecksTest, KernelSaysWhatThereIs) {
  EXPECT_TRUE(AvailableMemory(ReadMemoryTexts()).has_value());
}

}  // namespace
}  // namespace entente::cli
