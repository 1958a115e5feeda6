// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_FILE_JOURNAL_H_
#define SIM_FILE_JOURNAL_H_

// The least that is a journal: one file of entries, each with its length and checksum, synced one
// by one. What does not check out at the end was never acknowledged.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "coordinator/store/journal.h"

namespace entente::sim {

// Every byte of an entry, the same whenever it is asked for: maps in the order of their keys.
std::string EntryText(const store::JournalEntry& entry);

// One thread uses it.
class FileJournal final : public store::Journal {
 public:
  // `files` is borrowed. Errors are the disk's.
  static absl::StatusOr<std::unique_ptr<FileJournal>> Open(FileSystem* files,
                                                           const std::string& path);

  absl::Status Append(const store::JournalEntry& entry) override;
  absl::Status Replay(
      const std::function<absl::Status(const store::JournalEntry&)>& visit) const override;

 private:
  explicit FileJournal(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}

  const std::unique_ptr<WritableFile> file_;
  std::vector<store::JournalEntry> entries_;  // That were there when it was opened.
  std::map<JobId, uint64_t> sequences_;       // The newest of each job.
  uint64_t end_ = 0;                          // Where the next entry belongs.
};

}  // namespace entente::sim

#endif  // SIM_FILE_JOURNAL_H_
