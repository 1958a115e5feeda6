// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_INVENTORY_VERIFICATION_H_
#define COORDINATOR_INVENTORY_VERIFICATION_H_

// Checks a data directory that no coordinator runs on, and says what it holds.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/file_system.h"

namespace entente::inventory {

// Files and their sizes together.
struct FileCount {
  uint64_t files = 0;
  uint64_t bytes = 0;

  void Add(uint64_t file_bytes) {
    ++files;
    bytes += file_bytes;
  }
};

// More are counted, and not named.
inline constexpr size_t kLeftoverNamesMax = 10;

struct Verification {
  struct Job {
    std::string id;
    std::string status;  // "running", "paused", "completed", ...
    uint32_t rounds_committed = 0;
    uint32_t round_count = 0;
    uint64_t event_count = 0;
  };

  // Whether all of the journal could be read, and nothing beside it shows that its end is lost.
  bool journal_is_whole = false;
  std::string alliance;  // Empty in a journal of before it was written down, or that is not read.
  std::vector<Job> jobs;
  uint64_t event_count = 0;
  uint64_t journal_bytes = 0;
  FileCount models;   // Models, optimizer states and programs that the journal names.
  FileCount updates;  // Accepted updates of rounds in flight.
  // What the journal does not name: unfinished and unused uploads. None without a whole journal,
  // for then nobody can tell: whatever lies with the models or the updates counts as such, unread.
  FileCount leftover;
  std::vector<std::string> leftover_names;  // In the folder; kLeftoverNamesMax of them at most.

  // What is wrong, one sentence each, with what to do. Empty: a coordinator can go on from here.
  std::vector<std::string> damages;
};

// Reads every file that the journal names, once; changes nothing.
//
// NOT_FOUND: there is no such folder, or neither a journal in it nor what one would name.
// FAILED_PRECONDITION: a coordinator runs on it, which is named, a newer version wrote it, or it is
// a backup that was cut off.
// UNAVAILABLE: the journal cannot be read. Whatever else is the matter is in the result.
absl::StatusOr<Verification> VerifyDataDirectory(FileSystem& files, const std::string& folder);

// For people: one line a job, the sums, what is left over, one line a damage, and a line with the
// verdict.
std::string VerificationText(const Verification& verification, const std::string& folder);

}  // namespace entente::inventory

#endif  // COORDINATOR_INVENTORY_VERIFICATION_H_
