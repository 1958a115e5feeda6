// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_FILE_SYSTEM_H_
#define COMMON_BASE_FILE_SYSTEM_H_

// The disk, behind an interface, so that tests and the simulator can fill it, tear it and fail it.
// Every error names the path and what the system said; a full disk is RESOURCE_EXHAUSTED, a missing
// file NOT_FOUND, anything else UNAVAILABLE.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/base/durable_folders.h"

namespace entente {

// A file opened for reading. Thread-safe: every read names its offset.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;

  // Fills all of `buffer` from `offset`, with what was written last, be it after the opening.
  // OUT_OF_RANGE if the file ends before.
  virtual absl::Status ReadAt(uint64_t offset, absl::Span<char> buffer) const = 0;

  // The size when it was opened.
  virtual uint64_t size_bytes() const = 0;
};

// What must not take written data away again.
enum class Durability {
  kProcess,    // The process being killed: the kernel has the bytes.
  kPowerLoss,  // The machine losing its power: the disk has them.
};

// A file opened for writing. Closed by destruction; unsynced bytes may be lost with the power.
class WritableFile {
 public:
  virtual ~WritableFile() = default;

  // May be called from several threads at once, for different bytes.
  virtual absl::Status WriteAt(uint64_t offset, absl::string_view data) = 0;

  // Cuts the file, or lengthens it with zeros. As durable as a write.
  virtual absl::Status Truncate(uint64_t size_bytes) = 0;

  // On disk when it returns (fdatasync).
  virtual absl::Status Sync() = 0;
};

// What a name stands for; links are not followed.
struct PathInfo {
  enum class Kind { kFile, kFolder, kOther };
  Kind kind = Kind::kOther;
  absl::Time modified_at;
};

// A file's lock; given back by destruction, and by the kernel whatever happens to the process.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class LockKind {
  kExclusive,  // For one holder.
  kShared,     // For any number of holders, none of them exclusive.
};

// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path) = 0;

  // Creates the file, or opens the existing one without truncating it.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path) = 0;

  // Replaces `to` atomically, then syncs its folder. After an error the file may have either name,
  // and its new one need not survive the power. A folder only takes a name that is free.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;

  // OK if it was not there.
  virtual absl::Status Remove(const std::string& path) = 0;

  virtual bool Exists(const std::string& path) = 0;
  virtual absl::StatusOr<uint64_t> SizeBytes(const std::string& path) = 0;

  // The names that are in the folder now survive the power.
  virtual absl::Status SyncFolder(const std::string& folder) = 0;

  // Makes the folder and its parents, for good when it returns OK; they may be there. UNAVAILABLE
  // if its name is a file's.
  virtual absl::Status CreateFolder(const std::string& path) = 0;

  // Names, not paths, of the regular files in a folder, sorted.
  virtual absl::StatusOr<std::vector<std::string>> ListFiles(const std::string& folder) = 0;

  // Locks a file against who locks it too, in this process or another. FAILED_PRECONDITION, naming
  // the process that has it exclusively, if it cannot be had now. An exclusive lock makes the file
  // if need be and leaves its process's id in it; a shared one writes nothing, and is NOT_FOUND if
  // there is no file.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path,
                                                         LockKind kind) = 0;

  // Names of everything in a folder, sorted.
  virtual absl::StatusOr<std::vector<std::string>> ListNames(const std::string& folder) = 0;

  virtual absl::StatusOr<PathInfo> LookAt(const std::string& path) = 0;

  // Removes a file, a link, or a folder with all that is in it; OK if it was not there.
  virtual absl::Status RemoveTree(const std::string& path) = 0;

  // What an unprivileged process may still write to the file system that holds `path`.
  virtual absl::StatusOr<uint64_t> FreeBytes(const std::string& path) = 0;
};

// The machine's own disk.
class PosixFileSystem final : public FileSystem {
 public:
  // With kProcess nothing waits for the disk: Sync and the syncs of folders do nothing. For what
  // can be fetched or made again, and is checked before it is used after a restart.
  explicit PosixFileSystem(Durability durability = Durability::kPowerLoss)
      : durability_(durability) {}

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
  const Durability durability_;
  DurableFolders durable_folders_;
};

// Names, not paths, of the folders in a folder, sorted.
absl::StatusOr<std::vector<std::string>> ListFolders(FileSystem& files, const std::string& folder);

// The whole of a text file. INVALID_ARGUMENT if it is over `bytes_max`.
absl::StatusOr<std::string> ReadTextFile(FileSystem& files, const std::string& path,
                                         uint64_t bytes_max);

// Writes `text` the safe way: "<path>.tmp", sync, rename over `path`.
absl::Status WriteTextFile(FileSystem& files, const std::string& path, absl::string_view text);

// The same, unless that is the file's text already: then nothing is written, and a disk that is
// full is in nobody's way.
absl::Status WriteTextFileIfChanged(FileSystem& files, const std::string& path,
                                    absl::string_view text);

}  // namespace entente

#endif  // COMMON_BASE_FILE_SYSTEM_H_
