// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FUZZ_ONE_FILE_H_
#define TESTS_FUZZ_ONE_FILE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/file_system.h"

namespace entente::fuzz {

// A disk with one file on it, whatever the path, that can only be read.
class OneFile final : public FileSystem {
 public:
  explicit OneFile(std::string bytes);

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
  const std::string bytes_;
};

}  // namespace entente::fuzz

#endif  // TESTS_FUZZ_ONE_FILE_H_
