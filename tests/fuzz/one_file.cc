// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/one_file.h"

#include <algorithm>

namespace entente::fuzz {
namespace {

class BytesInMemory final : public ReadableFile {
 public:
  explicit BytesInMemory(absl::string_view bytes) : bytes_(bytes) {}

  absl::Status ReadAt(uint64_t offset, absl::Span<char> buffer) const override {
    if (offset > bytes_.size() || buffer.size() > bytes_.size() - offset) {
      return absl::OutOfRangeError("past the end");
    }
    std::copy_n(bytes_.data() + offset, buffer.size(), buffer.data());
    return absl::OkStatus();
  }
  uint64_t size_bytes() const override { return bytes_.size(); }

 private:
  const absl::string_view bytes_;
};

absl::Status ReadOnly() { return absl::UnimplementedError("this disk can only be read"); }

}  // namespace

OneFile::OneFile(std::string bytes) : bytes_(std::move(bytes)) {}

absl::StatusOr<std::unique_ptr<ReadableFile>> OneFile::OpenForRead(const std::string&) {
  return std::make_unique<BytesInMemory>(bytes_);
}
absl::StatusOr<std::unique_ptr<WritableFile>> OneFile::OpenForWrite(const std::string&) {
  return ReadOnly();
}
absl::Status OneFile::Rename(const std::string&, const std::string&) { return ReadOnly(); }
absl::Status OneFile::Remove(const std::string&) { return ReadOnly(); }
bool OneFile::Exists(const std::string&) { return true; }
absl::StatusOr<uint64_t> OneFile::SizeBytes(const std::string&) { return bytes_.size(); }
absl::Status OneFile::SyncFolder(const std::string&) { return ReadOnly(); }
absl::Status OneFile::CreateFolder(const std::string&) { return ReadOnly(); }
absl::StatusOr<std::vector<std::string>> OneFile::ListFiles(const std::string&) {
  return std::vector<std::string>();
}
absl::StatusOr<std::vector<std::string>> OneFile::ListNames(const std::string&) {
  return std::vector<std::string>();
}
absl::StatusOr<PathInfo> OneFile::LookAt(const std::string&) {
  return PathInfo{.kind = PathInfo::Kind::kFile, .modified_at = absl::UnixEpoch()};
}
absl::Status OneFile::RemoveTree(const std::string&) { return ReadOnly(); }
absl::StatusOr<std::unique_ptr<FileLock>> OneFile::Lock(const std::string&, LockKind) {
  return ReadOnly();
}
absl::StatusOr<uint64_t> OneFile::FreeBytes(const std::string&) { return 0; }

}  // namespace entente::fuzz
