// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/machine_checks.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/text_layout.h"

namespace entente::cli {
namespace {

// The kernel's own files have no size, so they are read to their end. They are short.
std::string ReadKernelFile(const char* path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

std::optional<uint64_t> NumberOf(absl::string_view text) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &number)) return std::nullopt;
  return number;
}

std::optional<uint64_t> MeminfoAvailable(absl::string_view meminfo) {
  for (const absl::string_view line : absl::StrSplit(meminfo, '\n')) {
    if (!absl::StartsWith(line, "MemAvailable:")) continue;
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() < 2) return std::nullopt;
    const std::optional<uint64_t> kibibytes = NumberOf(words[1]);
    if (!kibibytes) return std::nullopt;
    return *kibibytes * 1024;
  }
  return std::nullopt;
}

// The number after `name` at the start of a line of memory.stat.
std::optional<uint64_t> StatOf(absl::string_view text, absl::string_view name) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() == 2 && words[0] == name) return NumberOf(words[1]);
  }
  return std::nullopt;
}

// Version 1 says with `total_` what the groups below have as well, as its usage does.
uint64_t InactiveFileBytes(absl::string_view text) {
  if (const std::optional<uint64_t> total = StatOf(text, "total_inactive_file")) return *total;
  return StatOf(text, "inactive_file").value_or(0);
}

// The folder itself, or the nearest one above it that is there.
std::string ExistingFolder(FileSystem& files, const std::string& folder) {
  std::filesystem::path path(folder);
  while (path.has_relative_path() && !files.Exists(path.string())) path = path.parent_path();
  return path.empty() ? "." : path.string();
}

}  // namespace

void CheckDisk(FileSystem& files, const std::string& folder, uint64_t bytes_min,
               absl::string_view fix, Examination* examination) {
  const std::string place = ExistingFolder(files, folder);
  const absl::StatusOr<uint64_t> free_bytes = files.FreeBytes(place);
  if (!free_bytes.ok()) {
    examination->Add("disk", free_bytes.status(), "");
    return;
  }
  const std::string seen = absl::StrCat(BytesText(*free_bytes), " free at ", place);
  const std::string wanted = absl::StrCat(seen, ", less than ", BytesText(bytes_min));
  if (*free_bytes < bytes_min) {
    examination->Fail("disk", wanted, fix);
  } else if (*free_bytes / 2 < bytes_min) {
    examination->Warn("disk", absl::StrCat(seen, ", not much more than ", BytesText(bytes_min)),
                      fix);
  } else {
    examination->Ok("disk", seen);
  }
}

MemoryTexts ReadMemoryTexts() {
  MemoryTexts texts{.meminfo = ReadKernelFile("/proc/meminfo"),
                    .cgroup_max = ReadKernelFile("/sys/fs/cgroup/memory.max"),
                    .cgroup_current = ReadKernelFile("/sys/fs/cgroup/memory.current"),
                    .cgroup_stat = ReadKernelFile("/sys/fs/cgroup/memory.stat")};
  if (!texts.cgroup_max.empty()) return texts;
  texts.cgroup_max = ReadKernelFile("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  texts.cgroup_current = ReadKernelFile("/sys/fs/cgroup/memory/memory.usage_in_bytes");
  texts.cgroup_stat = ReadKernelFile("/sys/fs/cgroup/memory/memory.stat");
  return texts;
}

std::optional<uint64_t> AvailableMemory(const MemoryTexts& texts) {
  std::optional<uint64_t> available = MeminfoAvailable(texts.meminfo);
  const std::optional<uint64_t> limit = NumberOf(texts.cgroup_max);  // None of "max".
  const std::optional<uint64_t> used = NumberOf(texts.cgroup_current);
  if (!limit || !used) return available;
  const uint64_t kept = *used - std::min(*used, InactiveFileBytes(texts.cgroup_stat));
  const uint64_t left = *limit - std::min(*limit, kept);
  return available ? std::min(*available, left) : left;
}

void CheckMemory(const MemoryTexts& texts, uint64_t bytes_min, Examination* examination) {
  constexpr absl::string_view kFix =
      "give the machine or its container more memory, or stop what else runs there";
  const std::optional<uint64_t> available = AvailableMemory(texts);
  if (!available) {
    examination->Warn("memory", "the kernel does not say how much is free",
                      "look at /proc/meminfo");
    return;
  }
  const std::string seen = absl::StrCat(BytesText(*available), " free");
  if (*available < bytes_min) {
    examination->Fail("memory", absl::StrCat(seen, ", less than ", BytesText(bytes_min)), kFix);
  } else if (*available / 2 < bytes_min) {
    examination->Warn("memory", absl::StrCat(seen, ", not much more than ", BytesText(bytes_min)),
                      kFix);
  } else {
    examination->Ok("memory", seen);
  }
}

}  // namespace entente::cli
