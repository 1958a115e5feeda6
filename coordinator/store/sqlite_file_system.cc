// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/sqlite_file_system.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"

namespace entente::store {
namespace {

constexpr int kPathBytesMax = 4096;  // Linux's PATH_MAX.
constexpr int kSectorBytes = 4096;   // What SQLite's own file system for Linux says.

// One of SQLite's files.
class OpenFile {
 public:
  OpenFile(SqliteFileSystem* disk, std::string path) : disk_(*disk), path_(std::move(path)) {}

  absl::Status Open(int flags) {
    FileSystem& files = disk_.files();
    const bool is_read_only = disk_.access() == SqliteFileSystem::Access::kRead;
    if (is_read_only && (flags & SQLITE_OPEN_WAL) != 0 && !files.Exists(path_)) {
      return absl::OkStatus();
    }
    if (!is_read_only && (flags & SQLITE_OPEN_CREATE) != 0 && !files.Exists(path_)) {
      // Through a rename, so that the folder is synced: a log that vanishes with the power takes
      // with it what was acknowledged.
      ENTENTE_RETURN_IF_ERROR(WriteTextFile(files, path_, ""));
    }
    ENTENTE_ASSIGN_OR_RETURN(reader_, files.OpenForRead(path_));
    if (!is_read_only && (flags & SQLITE_OPEN_READWRITE) != 0) {
      ENTENTE_ASSIGN_OR_RETURN(writer_, files.OpenForWrite(path_));
    }
    size_bytes_ = reader_->size_bytes();
    const bool is_log = (flags & SQLITE_OPEN_WAL) != 0;
    return is_log && writer_ != nullptr && size_bytes_ < kLogBytes ? MakeRoom() : absl::OkStatus();
  }

  int Read(uint64_t offset, absl::Span<char> buffer) {
    const uint64_t there =
        std::min<uint64_t>(buffer.size(), size_bytes_ - std::min(size_bytes_, offset));
    if (there > 0) {
      const absl::Status status = reader_->ReadAt(offset, buffer.subspan(0, there));
      if (!status.ok()) return disk_.Fail(status, SQLITE_IOERR_READ);
    }
    if (there == buffer.size()) return SQLITE_OK;
    std::memset(buffer.data() + there, 0, buffer.size() - there);
    return SQLITE_IOERR_SHORT_READ;
  }

  int Write(uint64_t offset, absl::string_view data) {
    if (!IsWritable()) return SQLITE_IOERR_WRITE;
    if (const absl::Status status = writer_->WriteAt(offset, data); !status.ok()) {
      // Some of it may be there.
      size_bytes_ = SizeNow(size_bytes_);
      return disk_.Fail(status, SQLITE_IOERR_WRITE);
    }
    size_bytes_ = std::max(size_bytes_, offset + data.size());
    return SQLITE_OK;
  }

  int Truncate(uint64_t size_bytes) {
    if (!IsWritable()) return SQLITE_IOERR_TRUNCATE;
    if (const absl::Status status = writer_->Truncate(size_bytes); !status.ok()) {
      return disk_.Fail(status, SQLITE_IOERR_TRUNCATE);
    }
    size_bytes_ = size_bytes;
    return SQLITE_OK;
  }

  int Sync() {
    if (!IsWritable()) return SQLITE_IOERR_FSYNC;
    if (const absl::Status status = writer_->Sync(); !status.ok()) {
      disk_.FailSync(status);
      return disk_.Fail(status, SQLITE_IOERR_FSYNC);
    }
    return SQLITE_OK;
  }

  uint64_t size_bytes() const { return size_bytes_; }

 private:
  // Zeros are no frame: a log ends where they begin.
  absl::Status MakeRoom() {
    const std::string zeros(kLogBytes - size_bytes_, '\0');
    if (const absl::Status written = writer_->WriteAt(size_bytes_, zeros); !written.ok()) {
      // A full disk is given back what there was of it.
      writer_->Truncate(size_bytes_).IgnoreError();
      if (!absl::IsResourceExhausted(written)) return written;
      return absl::ResourceExhaustedError(
          absl::StrCat(written.message(), " (the journal's log needs ", kLogBytes >> 10, " KiB)"));
    }
    ENTENTE_RETURN_IF_ERROR(writer_->Sync());
    size_bytes_ = kLogBytes;
    return absl::OkStatus();
  }

  uint64_t SizeNow(uint64_t otherwise) const {
    const auto size = disk_.files().SizeBytes(path_);
    return size.ok() ? *size : otherwise;
  }
  bool IsWritable() const { return writer_ != nullptr && disk_.sync_status().ok(); }

  SqliteFileSystem& disk_;
  const std::string path_;
  std::unique_ptr<ReadableFile> reader_;  // Null: the empty log of a disk that is only read.
  std::unique_ptr<WritableFile> writer_;  // Null: opened for reading only.
  uint64_t size_bytes_ = 0;
};

// What SQLite allocates for a file; it knows nothing of constructors.
struct FileSlot {
  sqlite3_file base;
  OpenFile* file;  // Owned: made by OpenSlot, deleted by CloseSlot.
};

OpenFile& FileOf(sqlite3_file* slot) { return *reinterpret_cast<FileSlot*>(slot)->file; }
SqliteFileSystem& DiskOf(sqlite3_vfs* vfs) {
  return *static_cast<SqliteFileSystem*>(vfs->pAppData);
}

int CloseSlot(sqlite3_file* slot) {
  delete reinterpret_cast<FileSlot*>(slot)->file;
  slot->pMethods = nullptr;
  return SQLITE_OK;
}

int ReadSlot(sqlite3_file* slot, void* buffer, int size, sqlite3_int64 offset) {
  return FileOf(slot).Read(static_cast<uint64_t>(offset),
                           absl::MakeSpan(static_cast<char*>(buffer), static_cast<size_t>(size)));
}

int WriteSlot(sqlite3_file* slot, const void* data, int size, sqlite3_int64 offset) {
  return FileOf(slot).Write(
      static_cast<uint64_t>(offset),
      absl::string_view(static_cast<const char*>(data), static_cast<size_t>(size)));
}

int TruncateSlot(sqlite3_file* slot, sqlite3_int64 size) {
  return FileOf(slot).Truncate(static_cast<uint64_t>(size));
}

int SyncSlot(sqlite3_file* slot, int) { return FileOf(slot).Sync(); }

int SizeOfSlot(sqlite3_file* slot, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(FileOf(slot).size_bytes());
  return SQLITE_OK;
}

int Lock(sqlite3_file*, int) { return SQLITE_OK; }

int CheckReservedLock(sqlite3_file*, int* is_reserved) {
  *is_reserved = 0;
  return SQLITE_OK;
}

int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return kSectorBytes; }
// As SQLite's own unix VFS assumes: what a write does not cover, a power cut in it does not harm.
int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

constexpr sqlite3_io_methods kFileMethods = {.iVersion = 1,  // Without shared memory.
                                             .xClose = CloseSlot,
                                             .xRead = ReadSlot,
                                             .xWrite = WriteSlot,
                                             .xTruncate = TruncateSlot,
                                             .xSync = SyncSlot,
                                             .xFileSize = SizeOfSlot,
                                             .xLock = Lock,
                                             .xUnlock = Lock,
                                             .xCheckReservedLock = CheckReservedLock,
                                             .xFileControl = FileControl,
                                             .xSectorSize = SectorSize,
                                             .xDeviceCharacteristics = DeviceCharacteristics,
                                             .xShmMap = nullptr,
                                             .xShmLock = nullptr,
                                             .xShmBarrier = nullptr,
                                             .xShmUnmap = nullptr,
                                             .xFetch = nullptr,
                                             .xUnfetch = nullptr};

int OpenSlot(sqlite3_vfs* vfs, const char* path, sqlite3_file* slot, int flags, int* out_flags) {
  slot->pMethods = nullptr;  // So that SQLite does not close what did not open.
  SqliteFileSystem& disk = DiskOf(vfs);
  if (path == nullptr) return SQLITE_CANTOPEN;  // A temporary file.
  auto file = std::make_unique<OpenFile>(&disk, path);
  if (const absl::Status status = file->Open(flags); !status.ok()) {
    return disk.Fail(status, SQLITE_CANTOPEN);
  }
  reinterpret_cast<FileSlot*>(slot)->file = file.release();
  slot->pMethods = &kFileMethods;
  if (out_flags != nullptr) {
    *out_flags =
        disk.access() == SqliteFileSystem::Access::kRead
            ? (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY
            : flags;
  }
  return SQLITE_OK;
}

// Emptied before it is removed: should a power cut bring the name back, nothing is in it that
// SQLite could take for a transaction to undo or redo.
absl::Status RemoveForGood(FileSystem& files, const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.OpenForWrite(path));
  ENTENTE_RETURN_IF_ERROR(file->Truncate(0));
  ENTENTE_RETURN_IF_ERROR(file->Sync());
  return files.Remove(path);
}

int Delete(sqlite3_vfs* vfs, const char* path, int) {
  SqliteFileSystem& disk = DiskOf(vfs);
  if (disk.access() == SqliteFileSystem::Access::kRead || !disk.sync_status().ok()) {
    return SQLITE_IOERR_DELETE;
  }
  if (!disk.files().Exists(path)) return SQLITE_IOERR_DELETE_NOENT;
  const absl::Status status = RemoveForGood(disk.files(), path);
  return status.ok() ? SQLITE_OK : disk.Fail(status, SQLITE_IOERR_DELETE);
}

int CheckAccess(sqlite3_vfs* vfs, const char* path, int, int* result) {
  FileSystem& files = DiskOf(vfs).files();
  // An empty file is as good as none, as in SQLite's own unix VFS.
  const auto size = files.SizeBytes(path);
  *result = size.ok() && *size > 0 ? 1 : 0;
  return SQLITE_OK;
}

int FullPathname(sqlite3_vfs*, const char* path, int size, char* out) {
  const size_t length = std::strlen(path);
  if (length >= static_cast<size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(out, path, length + 1);
  return SQLITE_OK;
}

// What is not the disk's comes from the machine, as in any other program of SQLite's.
sqlite3_vfs* Machine() { return sqlite3_vfs_find(nullptr); }

int Randomness(sqlite3_vfs*, int size, char* out) {
  return Machine()->xRandomness(Machine(), size, out);
}
int Sleep(sqlite3_vfs*, int microseconds) { return Machine()->xSleep(Machine(), microseconds); }
int CurrentTime(sqlite3_vfs*, double* now) { return Machine()->xCurrentTime(Machine(), now); }
int GetLastError(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

SqliteFileSystem::SqliteFileSystem(FileSystem* files, Access access)
    : files_(*files), access_(access), name_(absl::StrFormat("entente-%p", this)) {
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(FileSlot);
  vfs_.mxPathname = kPathBytesMax;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = OpenSlot;
  vfs_.xDelete = Delete;
  vfs_.xAccess = CheckAccess;
  vfs_.xFullPathname = FullPathname;
  vfs_.xRandomness = Randomness;
  vfs_.xSleep = Sleep;
  vfs_.xCurrentTime = CurrentTime;
  vfs_.xGetLastError = GetLastError;
  ENTENTE_CHECK(sqlite3_vfs_register(&vfs_, /*makeDflt=*/0) == SQLITE_OK);
}

SqliteFileSystem::~SqliteFileSystem() { sqlite3_vfs_unregister(&vfs_); }

absl::Status SqliteFileSystem::TakeError() { return std::exchange(error_, absl::OkStatus()); }

int SqliteFileSystem::Fail(const absl::Status& status, int code) {
  error_ = status;
  return absl::IsResourceExhausted(status) ? SQLITE_FULL : code;
}

void SqliteFileSystem::FailSync(const absl::Status& status) { sync_status_.Update(status); }

}  // namespace entente::store
