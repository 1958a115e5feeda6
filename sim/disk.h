// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_DISK_H_
#define SIM_DISK_H_

// A machine's disk in memory, which knows what was written from what would survive the power.
//
//   written                                        survives a power cut
//   bytes of a file                                if Sync came after them; else each write wholly,
//                                                  in part (torn at any byte), or not at all,
//                                                  whatever became of earlier or other files'
//                                                  writes
//   names (create, rename, remove, make a folder)  if the folder was synced after them, which
//   Rename
//                                                  and CreateFolder do; else the first few of each
//                                                  folder, in order
//
// A killed process loses nothing that it wrote: the kernel has it. A Sync that fails leaves the
// bytes readable or not, and never on the disk unless they are written again, whatever a later Sync
// says (Rebello et al. 2020, "Can Applications Recover from fsync Failures?").

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/file_system.h"
#include "sim/chance.h"
#include "sim/scheduler.h"

namespace entente::sim {

// How often operations fail, 0 to 1, and whether there is room.
struct DiskFaults {
  double write_fails = 0;
  double sync_fails = 0;
  double rename_fails = 0;
  bool is_full = false;  // A write that makes a file longer fails, perhaps after some of its bytes.
};

class Disk {
 public:
  // `scheduler` is borrowed.
  explicit Disk(Scheduler* scheduler);
  ~Disk();

  DiskFaults faults;

  // How many operations have failed so far.
  uint64_t failures() const { return failures_; }

  // Everything unsynced meets its fate.
  void LosePower();

  struct Node;

 private:
  friend class DiskFileLock;
  friend class DiskFileSystem;
  friend class DiskWritableFile;

  // A change of names that its folder has not been synced after.
  struct NameChange {
    std::string folder;
    std::string removed;         // Path; empty: none.
    std::string added;           // Path; empty: none.
    std::shared_ptr<Node> node;  // What `added` names.
  };

  bool Fails(double probability);
  void Add(const std::string& path, std::shared_ptr<Node> node);
  void RemoveName(const std::string& path);
  void SyncFolder(const std::string& folder);
  static void ApplyTo(const NameChange& change,
                      std::map<std::string, std::shared_ptr<Node>>* names);

  Scheduler& scheduler_;
  uint64_t failures_ = 0;
  // By path. Shared with whoever has the file open.
  std::map<std::string, std::shared_ptr<Node>> names_;
  std::map<std::string, std::shared_ptr<Node>> durable_names_;
  std::vector<NameChange> unsynced_names_;
  // By path: how many hold it; -1 is one that holds it exclusively.
  std::map<std::string, int> locks_;
};

// The disk as one run of a program sees it. Files that it opened must be gone before it is.
class DiskFileSystem final : public FileSystem {
 public:
  // Borrowed. `enter` is asked before each operation; once it says no nothing happens any more and
  // everything is UNAVAILABLE: the process is dead.
  DiskFileSystem(Disk* disk, Durability durability, std::function<bool()> enter);

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
  friend class DiskReadableFile;
  friend class DiskWritableFile;

  absl::Status SyncNames(const std::string& folder);
  absl::Status MakeFolder(const std::string& path);
  absl::StatusOr<std::shared_ptr<Disk::Node>> Find(const std::string& path) const;
  absl::StatusOr<std::vector<std::string>> List(const std::string& folder, bool files_only) const;

  Disk& disk_;
  const Durability durability_;
  const std::function<bool()> enter_;
  DurableFolders durable_folders_;
};

}  // namespace entente::sim

#endif  // SIM_DISK_H_
