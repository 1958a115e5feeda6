// SPDX-License-Identifier: Apache-2.0
#include "tests/support/faulty_file_system.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente {
namespace {

absl::string_view NameOf(FaultyFileSystem::Change change) {
  using Change = FaultyFileSystem::Change;
  switch (change) {
    case Change::kWrite:
      return "write";
    case Change::kTruncate:
      return "set the size of";
    case Change::kSync:
      return "sync";
    case Change::kRename:
      return "rename to";
    case Change::kRemove:
      return "remove";
    case Change::kNewFolder:
      return "create folder";
  }
  return "";
}

class CountedReadableFile final : public ReadableFile {
 public:
  CountedReadableFile(std::unique_ptr<ReadableFile> real, FaultyFileSystem* counts)
      : real_(std::move(real)), counts_(*counts) {}

  absl::Status ReadAt(uint64_t offset, absl::Span<char> buffer) const override {
    counts_.CountRead(buffer);
    if (counts_.reads_fail) return absl::UnavailableError("cannot read: Input/output error");
    return real_->ReadAt(offset, buffer);
  }
  uint64_t size_bytes() const override { return real_->size_bytes(); }

 private:
  const std::unique_ptr<ReadableFile> real_;
  FaultyFileSystem& counts_;
};

class FaultyWritableFile final : public WritableFile {
 public:
  FaultyWritableFile(std::unique_ptr<WritableFile> real, std::string path, FaultyFileSystem* faults)
      : real_(std::move(real)), path_(std::move(path)), faults_(*faults) {}

  absl::Status WriteAt(uint64_t offset, absl::string_view data) override {
    faults_.AwaitWritesGo(path_);
    const auto size = static_cast<int64_t>(data.size());
    if (faults_.TakeWriteFailure(path_) || faults_.bytes_left.fetch_sub(size) < size) {
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot write ", path_, ": No space left on device; free some space"));
    }
    if (absl::Status status = faults_.CountChange(FaultyFileSystem::Change::kWrite, path_);
        !status.ok()) {
      real_->WriteAt(offset, data.substr(0, data.size() / 2)).IgnoreError();
      return status;
    }
    return real_->WriteAt(offset, data);
  }

  absl::Status Truncate(uint64_t size_bytes) override {
    ENTENTE_RETURN_IF_ERROR(faults_.CountChange(FaultyFileSystem::Change::kTruncate, path_));
    return real_->Truncate(size_bytes);
  }

  absl::Status Sync() override {
    faults_.ComeBeforeSync(path_);
    ENTENTE_RETURN_IF_ERROR(faults_.CountChange(FaultyFileSystem::Change::kSync, path_));
    if (faults_.sync_fails || faults_.TakeSyncFailure(path_)) {
      return absl::UnavailableError(absl::StrCat("cannot sync ", path_));
    }
    return real_->Sync();
  }

 private:
  const std::unique_ptr<WritableFile> real_;
  const std::string path_;
  FaultyFileSystem& faults_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ReadableFile>> FaultyFileSystem::OpenForRead(
    const std::string& path) {
  {
    absl::MutexLock lock(&mu_);
    if (Take(open_failures_, path)) {
      return absl::UnavailableError(absl::StrCat("cannot open ", path, ": Too many open files"));
    }
  }
  ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<ReadableFile> file, real_.OpenForRead(path));
  return std::make_unique<CountedReadableFile>(std::move(file), this);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultyFileSystem::OpenForWrite(
    const std::string& path) {
  if (path == read_only_path) {
    return absl::PermissionDeniedError(absl::StrCat("cannot open ", path, ": read-only"));
  }
  auto file = real_.OpenForWrite(path);
  if (!file.ok()) return file.status();
  return std::make_unique<FaultyWritableFile>(*std::move(file), path, this);
}

void FaultyFileSystem::FailWrites(const std::string& part, int times) {
  absl::MutexLock lock(&mu_);
  write_failures_ = {.part = part, .left = times};
}

bool FaultyFileSystem::TakeWriteFailure(const std::string& path) {
  absl::MutexLock lock(&mu_);
  return Take(write_failures_, path);
}

void FaultyFileSystem::FailSyncs(const std::string& part, int times) {
  absl::MutexLock lock(&mu_);
  sync_failures_ = {.part = part, .left = times};
}

bool FaultyFileSystem::TakeSyncFailure(const std::string& path) {
  absl::MutexLock lock(&mu_);
  return Take(sync_failures_, path);
}

void FaultyFileSystem::FailOpens(const std::string& part, int times) {
  absl::MutexLock lock(&mu_);
  open_failures_ = {.part = part, .left = times};
}

bool FaultyFileSystem::Take(PathFailures& failures, const std::string& path) {
  if (failures.left == 0 || path.find(failures.part) == std::string::npos) return false;
  --failures.left;
  return true;
}

void FaultyFileSystem::HoldWrites(const std::string& part) {
  absl::MutexLock lock(&mu_);
  held_part_ = part;
}

void FaultyFileSystem::LetWritesGo() {
  absl::MutexLock lock(&mu_);
  held_part_.clear();
}

int FaultyFileSystem::held_writes() {
  absl::MutexLock lock(&mu_);
  return held_writes_;
}

void FaultyFileSystem::AwaitWritesGo(const std::string& path) {
  absl::MutexLock lock(&mu_);
  if (held_part_.empty() || path.find(held_part_) == std::string::npos) return;
  ++held_writes_;
  const auto may_go = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return held_part_.empty(); };
  mu_.Await(absl::Condition(&may_go));
  --held_writes_;
}

void FaultyFileSystem::BeforeFolder(const std::string& part, std::function<void()> then) {
  absl::MutexLock lock(&mu_);
  folder_part_ = part;
  before_folder_ = std::move(then);
}

void FaultyFileSystem::BeforeSync(const std::string& part, std::function<void()> then) {
  absl::MutexLock lock(&mu_);
  sync_part_ = part;
  before_sync_ = std::move(then);
}

void FaultyFileSystem::AfterRename(const std::string& part, std::function<void()> then) {
  absl::MutexLock lock(&mu_);
  rename_part_ = part;
  after_rename_ = std::move(then);
}

void FaultyFileSystem::ComeBeforeSync(const std::string& path) {
  std::function<void()> before;
  {
    absl::MutexLock lock(&mu_);
    if (path.find(sync_part_) != std::string::npos) before.swap(before_sync_);
  }
  if (before) before();
}

FaultyFileSystem::Reads FaultyFileSystem::TakeReads() {
  absl::MutexLock lock(&mu_);
  return std::exchange(reads_, Reads());
}

void FaultyFileSystem::CountRead(absl::Span<char> buffer) {
  absl::MutexLock lock(&mu_);
  reads_.bytes += buffer.size();
  reads_.largest_bytes = std::max<uint64_t>(reads_.largest_bytes, buffer.size());
  if (buffer.size() >= kLargeReadBytes) reads_.buffers.insert(buffer.data());
}

void FaultyFileSystem::FailChange(int64_t n, Failure failure) {
  absl::MutexLock lock(&mu_);
  changes_until_failure_ = n;
  failure_ = failure;
  has_failed_ = false;
}

bool FaultyFileSystem::Heal() {
  absl::MutexLock lock(&mu_);
  changes_until_failure_ = 0;
  return std::exchange(has_failed_, false);
}

bool FaultyFileSystem::HasFailed() {
  absl::MutexLock lock(&mu_);
  return has_failed_;
}

absl::Status FaultyFileSystem::CountChange(Change change, const std::string& path) {
  absl::MutexLock lock(&mu_);
  const bool takes_room = change == Change::kWrite || change == Change::kNewFolder;
  if (changes_until_failure_ == 0 || (failure_ == Failure::kFull && !takes_room)) {
    return absl::OkStatus();
  }
  if (changes_until_failure_ > 1) {
    --changes_until_failure_;
    return absl::OkStatus();
  }
  has_failed_ = true;
  if (failure_ == Failure::kOnce) changes_until_failure_ = 0;
  const std::string what = absl::StrCat("cannot ", NameOf(change), " ", path, ": ");
  if (failure_ == Failure::kFull) {
    return absl::ResourceExhaustedError(what + "No space left on device; free some space");
  }
  return absl::UnavailableError(what + "Input/output error");
}

absl::Status FaultyFileSystem::Rename(const std::string& from, const std::string& to) {
  if (rename_fails) return absl::UnavailableError(absl::StrCat("cannot rename to ", to));
  ENTENTE_RETURN_IF_ERROR(CountChange(Change::kRename, to));
  const absl::Status renamed = real_.Rename(from, to);
  std::function<void()> after;
  {
    absl::MutexLock lock(&mu_);
    if (renamed.ok() && to.find(rename_part_) != std::string::npos) after.swap(after_rename_);
  }
  if (after) after();
  if (renamed.ok() && folder_sync_fails) {
    return absl::UnavailableError(absl::StrCat("cannot sync the folder of ", to));
  }
  return renamed;
}

absl::Status FaultyFileSystem::Remove(const std::string& path) {
  ENTENTE_RETURN_IF_ERROR(CountChange(Change::kRemove, path));
  return real_.Remove(path);
}
absl::StatusOr<std::unique_ptr<FileLock>> FaultyFileSystem::Lock(const std::string& path,
                                                                 LockKind kind) {
  // It writes whose it is.
  if (kind == LockKind::kExclusive && bytes_left <= 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot write ", path, ": No space left on device; free some space"));
  }
  return real_.Lock(path, kind);
}
bool FaultyFileSystem::Exists(const std::string& path) { return real_.Exists(path); }
absl::StatusOr<uint64_t> FaultyFileSystem::SizeBytes(const std::string& path) {
  return real_.SizeBytes(path);
}
absl::Status FaultyFileSystem::SyncFolder(const std::string& folder) {
  if (sync_fails || folder_sync_fails) {
    return absl::UnavailableError(absl::StrCat("cannot sync folder ", folder));
  }
  ENTENTE_RETURN_IF_ERROR(CountChange(Change::kSync, folder));
  return real_.SyncFolder(folder);
}
absl::Status FaultyFileSystem::CreateFolder(const std::string& path) {
  std::function<void()> before;
  {
    absl::MutexLock lock(&mu_);
    if (path.find(folder_part_) != std::string::npos) before.swap(before_folder_);
  }
  if (before) before();
  ENTENTE_RETURN_IF_ERROR(CountChange(Change::kNewFolder, path));
  return real_.CreateFolder(path);
}
absl::StatusOr<std::vector<std::string>> FaultyFileSystem::ListFiles(const std::string& folder) {
  return real_.ListFiles(folder);
}
absl::StatusOr<std::vector<std::string>> FaultyFileSystem::ListNames(const std::string& folder) {
  return real_.ListNames(folder);
}
absl::StatusOr<PathInfo> FaultyFileSystem::LookAt(const std::string& path) {
  return real_.LookAt(path);
}
absl::Status FaultyFileSystem::RemoveTree(const std::string& path) {
  if (tree_removals_fail) return absl::UnavailableError(absl::StrCat("cannot remove ", path));
  ENTENTE_RETURN_IF_ERROR(CountChange(Change::kRemove, path));
  return real_.RemoveTree(path);
}
absl::StatusOr<uint64_t> FaultyFileSystem::FreeBytes(const std::string& path) {
  const int64_t left = bytes_left.load();
  if (left < (int64_t{1} << 60)) return static_cast<uint64_t>(left > 0 ? left : 0);
  return real_.FreeBytes(path);
}

}  // namespace entente
