// SPDX-License-Identifier: Apache-2.0
#include "tests/support/faulty_file_system.h"

#include <utility>

#include "absl/strings/str_cat.h"

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
    return real_->WriteAt(offset, data);
  }

  absl::Status Sync() override {
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
  if (path == read_only_path) {
    return absl::PermissionDeniedError(absl::StrCat("cannot open ", path, ": read-only"));
  }
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

absl::Status FaultyFileSystem::Rename(const std::string& from, const std::string& to) {
  if (rename_fails) return absl::UnavailableError(absl::StrCat("cannot rename to ", to));
  const absl::Status renamed = real_.Rename(from, to);
  if (renamed.ok() && folder_sync_fails) {
    return absl::UnavailableError(absl::StrCat("cannot sync the folder of ", to));
  }
  return renamed;
}

absl::Status FaultyFileSystem::Remove(const std::string& path) { return real_.Remove(path); }
bool FaultyFileSystem::Exists(const std::string& path) { return real_.Exists(path); }
absl::StatusOr<uint64_t> FaultyFileSystem::SizeBytes(const std::string& path) {
  return real_.SizeBytes(path);
}
absl::Status FaultyFileSystem::SyncFolder(const std::string& folder) {
  if (sync_fails || folder_sync_fails) {
    return absl::UnavailableError(absl::StrCat("cannot sync folder ", folder));
  }
  return real_.SyncFolder(folder);
}
absl::Status FaultyFileSystem::CreateFolder(const std::string& path) {
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
  return real_.RemoveTree(path);
}
absl::StatusOr<uint64_t> FaultyFileSystem::FreeBytes(const std::string& path) {
  const int64_t left = bytes_left.load();
  if (left < (int64_t{1} << 60)) return static_cast<uint64_t>(left > 0 ? left : 0);
  return real_.FreeBytes(path);
}

}  // namespace entente
