// SPDX-License-Identifier: Apache-2.0
#include "common/base/file_system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/owned_descriptor.h"
#include "common/base/status_macros.h"

namespace entente {
namespace {

absl::Status ErrnoStatus(absl::string_view what, const std::string& path, int error) {
  const std::string message = absl::StrCat(what, " ", path, ": ", std::strerror(error));
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(message);
  if (error == ENOSPC || error == EDQUOT) {
    return absl::ResourceExhaustedError(absl::StrCat(message, "; free some space"));
  }
  return absl::UnavailableError(message);
}

class PosixReadableFile final : public ReadableFile {
 public:
  PosixReadableFile(std::string path, int fd, uint64_t size)
      : path_(std::move(path)), descriptor_(fd), size_bytes_(size) {}

  absl::Status ReadAt(uint64_t offset, absl::Span<char> buffer) const override {
    size_t done = 0;
    while (done < buffer.size()) {
      const ssize_t got = pread(descriptor_.get(), buffer.data() + done, buffer.size() - done,
                                static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrnoStatus("cannot read", path_, errno);
      if (got == 0) {
        return absl::OutOfRangeError(absl::StrCat(path_, " ends at byte ", offset + done,
                                                  ", before ", offset + buffer.size()));
      }
      done += static_cast<size_t>(got);
    }
    return absl::OkStatus();
  }

  uint64_t size_bytes() const override { return size_bytes_; }

 private:
  const std::string path_;
  const OwnedDescriptor descriptor_;
  const uint64_t size_bytes_;
};

// How many bytes are written before the disk is told to begin with them. Measured: smaller pieces
// cost system calls, larger ones leave more to wait for in Sync.
constexpr uint64_t kWritebackBytes = uint64_t{8} << 20;

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(std::string path, int fd, Durability durability)
      : path_(std::move(path)), descriptor_(fd), durability_(durability) {}

  absl::Status WriteAt(uint64_t offset, absl::string_view data) override {
    size_t done = 0;
    while (done < data.size()) {
      const ssize_t put = pwrite(descriptor_.get(), data.data() + done, data.size() - done,
                                 static_cast<off_t>(offset + done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return ErrnoStatus("cannot write", path_, errno);
      done += static_cast<size_t>(put);
    }
    StartWriteback(data.size());
    return absl::OkStatus();
  }

  absl::Status Truncate(uint64_t size_bytes) override {
    if (ftruncate(descriptor_.get(), static_cast<off_t>(size_bytes)) != 0) {
      return ErrnoStatus("cannot set the size of", path_, errno);
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    if (durability_ == Durability::kProcess) return absl::OkStatus();
    if (fdatasync(descriptor_.get()) != 0) return ErrnoStatus("cannot sync", path_, errno);
    return absl::OkStatus();
  }

 private:
  // The disk works while the bytes arrive, so that Sync has little left to wait for. A hint: what
  // fails here fails in Sync.
  void StartWriteback(uint64_t size) {
    if (durability_ == Durability::kProcess) return;
    if (unstarted_bytes_.fetch_add(size) + size < kWritebackBytes) return;
    unstarted_bytes_ = 0;
    sync_file_range(descriptor_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  }

  const std::string path_;
  const OwnedDescriptor descriptor_;
  const Durability durability_;
  std::atomic<uint64_t> unstarted_bytes_{0};
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(int fd) : descriptor_(fd) {}

 private:
  const OwnedDescriptor descriptor_;  // Closing it gives the lock back.
};

// Who could not be waited for. `fd` is open on the locked file.
absl::Status LockedStatus(const std::string& path, int fd) {
  // Only an exclusive holder keeps others from reading, and only it leaves its id.
  if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is being read by another process"));
  }
  char text[24] = {};
  const ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
  int64_t holder = 0;
  if (length <= 0 ||
      !absl::SimpleAtoi(absl::string_view(text, static_cast<size_t>(length)), &holder)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is locked by another process"));
  }
  return absl::FailedPreconditionError(absl::StrCat(path, " is locked by process ", holder));
}

}  // namespace

absl::Status PosixFileSystem::SyncFolder(const std::string& folder) {
  if (durability_ == Durability::kProcess) return absl::OkStatus();
  const OwnedDescriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) return ErrnoStatus("cannot open folder", folder, errno);
  if (fsync(descriptor.get()) != 0) return ErrnoStatus("cannot sync folder", folder, errno);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ReadableFile>> PosixFileSystem::OpenForRead(
    const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("cannot open", path, errno);
  struct stat info = {};
  const int error = fstat(fd, &info) == 0 ? 0 : errno;
  if (error != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    if (error != 0) return ErrnoStatus("cannot look at", path, error);
    return absl::UnavailableError(absl::StrCat("cannot read ", path, ": it is not a regular file"));
  }
  return std::make_unique<PosixReadableFile>(path, fd, static_cast<uint64_t>(info.st_size));
}

absl::StatusOr<std::unique_ptr<WritableFile>> PosixFileSystem::OpenForWrite(
    const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return ErrnoStatus("cannot create", path, errno);
  return std::make_unique<PosixWritableFile>(path, fd, durability_);
}

absl::Status PosixFileSystem::Rename(const std::string& from, const std::string& to) {
  durable_folders_.Forget(from);
  if (rename(from.c_str(), to.c_str()) != 0) return ErrnoStatus("cannot rename to", to, errno);
  const std::string folder = std::filesystem::path(to).parent_path().string();
  return SyncFolder(folder.empty() ? "." : folder);
}

absl::Status PosixFileSystem::Remove(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return ErrnoStatus("cannot remove", path, errno);
  return absl::OkStatus();
}

bool PosixFileSystem::Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

absl::StatusOr<uint64_t> PosixFileSystem::SizeBytes(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return ErrnoStatus("cannot look at", path, errno);
  return static_cast<uint64_t>(info.st_size);
}

absl::Status PosixFileSystem::CreateFolder(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  // A name that cannot be looked at is for the making to complain of.
  const fs::file_status there = fs::status(path, error);
  if (fs::exists(there) && !fs::is_directory(there)) {
    return absl::UnavailableError(
        absl::StrCat("cannot create folder ", path, ": there is a file of that name"));
  }
  if (durability_ == Durability::kProcess) {
    fs::create_directories(path, error);
    return error ? ErrnoStatus("cannot create folder", path, error.value()) : absl::OkStatus();
  }
  return durable_folders_.Create(
      path, {.exists =
                 [](const std::string& folder) {
                   std::error_code ignored;
                   return fs::exists(folder, ignored);
                 },
             .make = [](const std::string& folder) -> absl::Status {
               std::error_code failure;
               fs::create_directory(folder, failure);
               if (!failure) return absl::OkStatus();
               return ErrnoStatus("cannot create folder", folder, failure.value());
             },
             // One that may not even be read is somebody else's, who made ours in it.
             .sync =
                 [this](const std::string& folder) {
                   return access(folder.c_str(), R_OK) == 0 ? SyncFolder(folder) : absl::OkStatus();
                 }});
}

absl::StatusOr<std::vector<std::string>> PosixFileSystem::ListFiles(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;  // A file that vanishes meanwhile is simply not listed.
    if (it->is_regular_file(ignored)) names.push_back(it->path().filename().string());
  }
  if (error) return ErrnoStatus("cannot list", folder, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::unique_ptr<FileLock>> PosixFileSystem::Lock(const std::string& path,
                                                                LockKind kind) {
  const bool is_exclusive = kind == LockKind::kExclusive;
  const int fd = is_exclusive ? open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)
                              : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("cannot open", path, errno);
  std::unique_ptr<FileLock> lock = std::make_unique<PosixFileLock>(fd);
  if (flock(fd, (is_exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return LockedStatus(path, fd);
    return ErrnoStatus("cannot lock", path, errno);
  }
  if (is_exclusive) {
    const std::string id = absl::StrCat(getpid(), "\n");
    if (ftruncate(fd, 0) != 0 || pwrite(fd, id.data(), id.size(), 0) < 0) {
      return ErrnoStatus("cannot write", path, errno);
    }
  }
  return lock;
}

absl::StatusOr<std::vector<std::string>> PosixFileSystem::ListNames(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) return ErrnoStatus("cannot list", folder, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<PathInfo> PosixFileSystem::LookAt(const std::string& path) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) return ErrnoStatus("cannot look at", path, errno);
  return PathInfo{.kind = S_ISREG(info.st_mode)   ? PathInfo::Kind::kFile
                          : S_ISDIR(info.st_mode) ? PathInfo::Kind::kFolder
                                                  : PathInfo::Kind::kOther,
                  .modified_at = absl::TimeFromTimespec(info.st_mtim)};
}

absl::Status PosixFileSystem::RemoveTree(const std::string& path) {
  durable_folders_.Forget(path);
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? ErrnoStatus("cannot remove", path, error.value()) : absl::OkStatus();
}

absl::StatusOr<uint64_t> PosixFileSystem::FreeBytes(const std::string& path) {
  struct statvfs info = {};
  // The parent of a bare file name is no name at all.
  if (statvfs(path.empty() ? "." : path.c_str(), &info) != 0) {
    return ErrnoStatus("cannot look at", path, errno);
  }
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

absl::StatusOr<std::vector<std::string>> ListFolders(FileSystem& files, const std::string& folder) {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.ListNames(folder));
  std::vector<std::string> folders;
  for (const std::string& name : names) {
    const auto info = files.LookAt(absl::StrCat(folder, "/", name));
    if (absl::IsNotFound(info.status())) continue;  // It vanished meanwhile.
    if (!info.ok()) return info.status();
    if (info->kind == PathInfo::Kind::kFolder) folders.push_back(name);
  }
  return folders;
}

absl::StatusOr<std::string> ReadTextFile(FileSystem& files, const std::string& path,
                                         uint64_t bytes_max) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
  if (file->size_bytes() > bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat(path, " has ", file->size_bytes(),
                                                   " bytes; at most ", bytes_max, " are read"));
  }
  std::string text(file->size_bytes(), '\0');
  ENTENTE_RETURN_IF_ERROR(file->ReadAt(0, absl::MakeSpan(text.data(), text.size())));
  return text;
}

absl::Status WriteTextFile(FileSystem& files, const std::string& path, absl::string_view text) {
  const std::string temporary = path + ".tmp";
  ENTENTE_RETURN_IF_ERROR(files.Remove(temporary));
  {
    ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                             files.OpenForWrite(temporary));
    ENTENTE_RETURN_IF_ERROR(file->WriteAt(0, text));
    ENTENTE_RETURN_IF_ERROR(file->Sync());
  }
  return files.Rename(temporary, path);
}

absl::Status WriteTextFileIfChanged(FileSystem& files, const std::string& path,
                                    absl::string_view text) {
  const auto present = ReadTextFile(files, path, text.size());
  if (present.ok() && *present == text) return absl::OkStatus();
  return WriteTextFile(files, path, text);
}

}  // namespace entente
