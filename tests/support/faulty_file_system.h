// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_FAULTY_FILE_SYSTEM_H_
#define TESTS_SUPPORT_FAULTY_FILE_SYSTEM_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file_system.h"

namespace entente {

// The real disk, with a limit: once `bytes_left` are written every write says the disk is full, and
// every sync or rename fails while it is told to. Thread-safe.
class FaultyFileSystem final : public FileSystem {
 public:
  // Bytes that may still be written.
  std::atomic<int64_t> bytes_left{int64_t{1} << 60};
  std::atomic<bool> sync_fails{false};
  std::atomic<bool> rename_fails{false};
  // A rename is done, and then its folder cannot be synced.
  std::atomic<bool> folder_sync_fails{false};
  std::atomic<bool> reads_fail{false};
  // Of a folder with what is in it.
  std::atomic<bool> tree_removals_fail{false};

  // A file that may be read and not be opened for writing. Set before it is shared.
  std::string read_only_path;

  // The n-th change from now on, from 1, fails; a write leaves half of its bytes behind. Changes
  // are writes, truncations, syncs, renames, removals and new folders. With kForGood all after it
  // fail as well, as if the machine had stopped there; with kFull those from it on that take room.
  enum class Failure { kOnce, kForGood, kFull };
  void FailChange(int64_t n, Failure failure) ABSL_LOCKS_EXCLUDED(mu_);
  // Nothing fails any more. Returns whether the change that was to fail has come.
  bool Heal() ABSL_LOCKS_EXCLUDED(mu_);
  bool HasFailed() ABSL_LOCKS_EXCLUDED(mu_);
  enum class Change { kWrite, kTruncate, kSync, kRename, kRemove, kNewFolder };
  // The error of this change if it is to fail. For the files opened here.
  absl::Status CountChange(Change change, const std::string& path) ABSL_LOCKS_EXCLUDED(mu_);

  // The next `times` writes to files whose path has `part` in it say the disk is full.
  void FailWrites(const std::string& part, int times) ABSL_LOCKS_EXCLUDED(mu_);
  // Whether this write is one of them. For the files opened here.
  bool TakeWriteFailure(const std::string& path) ABSL_LOCKS_EXCLUDED(mu_);

  // The same of syncs, which fail.
  void FailSyncs(const std::string& part, int times) ABSL_LOCKS_EXCLUDED(mu_);
  bool TakeSyncFailure(const std::string& path) ABSL_LOCKS_EXCLUDED(mu_);

  // The next `times` openings for reading of files whose path has `part` in it fail, as without a
  // descriptor left.
  void FailOpens(const std::string& part, int times) ABSL_LOCKS_EXCLUDED(mu_);

  // Writes to files whose path has `part` in it wait until LetWritesGo, as for a slow disk.
  void HoldWrites(const std::string& part) ABSL_LOCKS_EXCLUDED(mu_);
  void LetWritesGo() ABSL_LOCKS_EXCLUDED(mu_);
  // How many wait.
  int held_writes() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits if this file's writes are held. For the files opened here.
  void AwaitWritesGo(const std::string& path) ABSL_LOCKS_EXCLUDED(mu_);

  // Calls `then`, once, before the next folder is made whose path has `part` in it: what another
  // thread may do just then.
  void BeforeFolder(const std::string& part, std::function<void()> then) ABSL_LOCKS_EXCLUDED(mu_);

  // The same, before the next file is synced whose path has `part` in it.
  void BeforeSync(const std::string& part, std::function<void()> then) ABSL_LOCKS_EXCLUDED(mu_);
  // Calls it if this file is the one. For the files opened here.
  void ComeBeforeSync(const std::string& path) ABSL_LOCKS_EXCLUDED(mu_);

  // Calls `then`, once, after the next rename to a path that has `part` in it, and before its
  // folder is synced.
  void AfterRename(const std::string& part, std::function<void()> then) ABSL_LOCKS_EXCLUDED(mu_);

  // What was read since the last call, from files that were opened here.
  struct Reads {
    uint64_t bytes = 0;
    uint64_t largest_bytes = 0;          // At a time.
    std::set<const char*> buffers = {};  // That took kLargeReadBytes and more at a time.
  };
  static constexpr uint64_t kLargeReadBytes = 4096;  // More than a small file's header.
  Reads TakeReads() ABSL_LOCKS_EXCLUDED(mu_);
  // For the files opened here.
  void CountRead(absl::Span<char> buffer) ABSL_LOCKS_EXCLUDED(mu_);

  absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  bool Exists(const std::string& path) override;
  absl::StatusOr<uint64_t> SizeBytes(const std::string& path) override;
  absl::Status SyncFolder(const std::string& folder) override;
  absl::Status CreateFolder(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> ListFiles(const std::string& folder) override;
  absl::StatusOr<std::vector<std::string>> ListNames(const std::string& folder) override;
  absl::StatusOr<PathInfo> LookAt(const std::string& path) override;
  absl::Status RemoveTree(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path, LockKind kind) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) override;

 private:
  struct PathFailures {
    std::string part;  // Of the path.
    int left = 0;
  };

  static bool Take(PathFailures& failures, const std::string& path);

  // No test takes the machine's power away, so none waits for its disk.
  PosixFileSystem real_{Durability::kProcess};
  absl::Mutex mu_;
  PathFailures write_failures_ ABSL_GUARDED_BY(mu_);
  PathFailures sync_failures_ ABSL_GUARDED_BY(mu_);
  PathFailures open_failures_ ABSL_GUARDED_BY(mu_);
  // Changes until the failing one; 0: none fails.
  int64_t changes_until_failure_ ABSL_GUARDED_BY(mu_) = 0;
  Failure failure_ ABSL_GUARDED_BY(mu_) = Failure::kOnce;
  bool has_failed_ ABSL_GUARDED_BY(mu_) = false;
  std::string held_part_ ABSL_GUARDED_BY(mu_);  // Of a path; empty: no writes are held.
  int held_writes_ ABSL_GUARDED_BY(mu_) = 0;
  std::string folder_part_ ABSL_GUARDED_BY(mu_);              // Of a path.
  std::function<void()> before_folder_ ABSL_GUARDED_BY(mu_);  // Null: nothing.
  std::string sync_part_ ABSL_GUARDED_BY(mu_);                // Of a path.
  std::function<void()> before_sync_ ABSL_GUARDED_BY(mu_);    // Null: nothing.
  std::string rename_part_ ABSL_GUARDED_BY(mu_);              // Of a path.
  std::function<void()> after_rename_ ABSL_GUARDED_BY(mu_);   // Null: nothing.
  Reads reads_ ABSL_GUARDED_BY(mu_);
};

}  // namespace entente

#endif  // TESTS_SUPPORT_FAULTY_FILE_SYSTEM_H_
