// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_DOCTOR_MACHINE_CHECKS_H_
#define CLI_DOCTOR_MACHINE_CHECKS_H_

// What this machine has left: disk and memory.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "cli/doctor/examination.h"
#include "common/base/file_system.h"

namespace entente::cli {

// Free space where `folder` is, or will be: failed below `bytes_min`, warned about below twice as
// much. `fix` says what to do.
void CheckDisk(FileSystem& files, const std::string& folder, uint64_t bytes_min,
               absl::string_view fix, Examination* examination);

// What the kernel says of memory, as text; empty where it says nothing.
struct MemoryTexts {
  std::string meminfo;           // /proc/meminfo
  std::string cgroup_max;        // /sys/fs/cgroup/memory.max, or version 1's limit_in_bytes
  std::string cgroup_current;    // memory.current beside it, or usage_in_bytes
  std::string cgroup_stat = {};  // memory.stat beside it
};

// Of this process.
MemoryTexts ReadMemoryTexts();

// Bytes that a program may still take: what the machine has, or its control group if that is less.
// Copies of files that nobody has used for a while count as free, for the kernel drops them when
// memory is wanted. None if neither says.
std::optional<uint64_t> AvailableMemory(const MemoryTexts& texts);

// Failed below `bytes_min`, warned about below twice as much.
void CheckMemory(const MemoryTexts& texts, uint64_t bytes_min, Examination* examination);

}  // namespace entente::cli

#endif  // CLI_DOCTOR_MACHINE_CHECKS_H_
