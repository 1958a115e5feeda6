// SPDX-License-Identifier: Apache-2.0
#include "tests/support/faulty_file_system.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente {
namespace {

class FaultyWritableFile final : public WritableFile {
 public:
  FaultyWritableFile(std::unique_ptr<WritableFile> real, std::string path, FaultyFileSystem* faults)
      : real_(std::move(real)), path_(std::move(path)), faults_(*faults) {}

  absl::Status WriteAt(uint64_t offset, absl::string_view data) override {
    const auto size = static_cast<int64_t>(data.size());
    if (faults_.TakeWriteFailure(path_) || faults_.bytes_left.fetch_sub(size) < size) {
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot write ", path_, ": No space left on device; free some space"));
    }
    if (absl::Status status = faults_.CountChange("write", path_); !status.ok()) {
      real_->WriteAt(offset, data.substr(0, data.size() / 2)).IgnoreError();
      return status;
    }
    return real_->WriteAt(offset, data);
  }

  absl::Status Truncate(uint64_t size_bytes) override {
    ENTENTE_RETURN_IF_ERROR(faults_.CountChange("set the size of", path_));
    return real_->Truncate(size_bytes);
  }

  absl::Status Sync() override {
    ENTENTE_RETURN_IF_ERROR(faults_.CountChange("sync", path_));
    if (faults_.sync_fails) return absl::UnavailableError(absl::StrCat("cannot sync ", path_));
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
  return real_.OpenForRead(path);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultyFileSystem::OpenForWrite(
    const std::string& path) {
  auto file = real_.OpenForWrite(path);
  if (!file.ok()) return file.status();
  return std::make_unique<FaultyWritableFile>(*std::move(file), path, this);
}

void FaultyFileSystem::FailWrites(const std::string& part, int times) {
  absl::MutexLock lock(&mu_);
  failing_part_ = part;
  failures_left_ = times;
}

bool FaultyFileSystem::TakeWriteFailure(const std::string& path) {
  absl::MutexLock lock(&mu_);
  if (failures_left_ == 0 || path.find(failing_part_) == std::string::npos) return false;
  --failures_left_;
  return true;
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

absl::Status FaultyFileSystem::CountChange(absl::string_view what, const std::string& path) {
  absl::MutexLock lock(&mu_);
  if (changes_until_failure_ == 0) return absl::OkStatus();
  if (changes_until_failure_ > 1) {
    --changes_until_failure_;
    return absl::OkStatus();
  }
  has_failed_ = true;
  if (failure_ == Failure::kOnce) changes_until_failure_ = 0;
  return absl::UnavailableError(absl::StrCat("cannot ", what, " ", path, ": Input/output error"));
}

absl::Status FaultyFileSystem::Rename(const std::string& from, const std::string& to) {
  if (rename_fails) return absl::UnavailableError(absl::StrCat("cannot rename to ", to));
  ENTENTE_RETURN_IF_ERROR(CountChange("rename to", to));
  return real_.Rename(from, to);
}

absl::Status FaultyFileSystem::Remove(const std::string& path) {
  ENTENTE_RETURN_IF_ERROR(CountChange("remove", path));
  return real_.Remove(path);
}
absl::Status FaultyFileSystem::RemoveFolder(const std::string& path) {
  ENTENTE_RETURN_IF_ERROR(CountChange("remove folder", path));
  return real_.RemoveFolder(path);
}
absl::StatusOr<std::vector<std::string>> FaultyFileSystem::ListFolders(const std::string& folder) {
  return real_.ListFolders(folder);
}
absl::StatusOr<std::unique_ptr<FileLock>> FaultyFileSystem::Lock(const std::string& path,
                                                                 LockKind kind) {
  return real_.Lock(path, kind);
}
bool FaultyFileSystem::Exists(const std::string& path) { return real_.Exists(path); }
absl::StatusOr<uint64_t> FaultyFileSystem::SizeBytes(const std::string& path) {
  return real_.SizeBytes(path);
}
absl::Status FaultyFileSystem::CreateFolder(const std::string& path) {
  return real_.CreateFolder(path);
}
absl::StatusOr<std::vector<std::string>> FaultyFileSystem::ListFiles(const std::string& folder) {
  return real_.ListFiles(folder);
}
absl::StatusOr<uint64_t> FaultyFileSystem::FreeBytes(const std::string& path) {
  const int64_t left = bytes_left.load();
  if (left < (int64_t{1} << 60)) return static_cast<uint64_t>(left > 0 ? left : 0);
  return real_.FreeBytes(path);
}

}  // namespace entente
