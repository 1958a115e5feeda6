// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/following_digest.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/types/span.h"
#include "common/base/status_macros.h"

namespace entente {
namespace {

// Small enough to be hashed out of the second-level cache.
constexpr size_t kReadAgainBytes = size_t{64} << 10;

}  // namespace

FollowingDigest::FollowingDigest(std::unique_ptr<ReadableFile> file) : file_(std::move(file)) {}

absl::StatusOr<std::unique_ptr<FollowingDigest>> FollowingDigest::Create(FileSystem& files,
                                                                         const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
  return std::unique_ptr<FollowingDigest>(new FollowingDigest(std::move(file)));
}

absl::Status FollowingDigest::Wrote(uint64_t offset, absl::string_view data) {
  if (data.empty()) return absl::OkStatus();
  {
    absl::MutexLock lock(&mu_);
    if (is_hashing_ || offset != hashed_bytes_) {
      Wait(offset, data.size());
      return absl::OkStatus();
    }
    is_hashing_ = true;
  }
  hash_.Update(data);
  uint64_t hashed = offset + data.size();
  while (true) {
    uint64_t size = 0;
    {
      absl::MutexLock lock(&mu_);
      hashed_bytes_ = hashed;
      const auto next = waiting_.begin();
      if (next == waiting_.end() || next->first != hashed) {
        is_hashing_ = false;
        return absl::OkStatus();
      }
      size = next->second;
      waiting_.erase(next);
    }
    // After an error is_hashing_ stays set: there is nothing to go on with.
    ENTENTE_RETURN_IF_ERROR(Read(hashed, size));
    hashed += size;
  }
}

Digest FollowingDigest::Current() const {
  absl::MutexLock lock(&mu_);
  return hash_.Current();
}

void FollowingDigest::Wait(uint64_t offset, uint64_t size) {
  auto [place, is_new] = waiting_.emplace(offset, size);
  if (place != waiting_.begin()) {
    const auto before = std::prev(place);
    if (before->first + before->second == offset) {
      before->second += size;
      waiting_.erase(place);
      place = before;
    }
  }
  const auto after = std::next(place);
  if (after != waiting_.end() && place->first + place->second == after->first) {
    place->second += after->second;
    waiting_.erase(after);
  }
}

absl::Status FollowingDigest::Read(uint64_t from, uint64_t size) {
  buffer_.resize(kReadAgainBytes);
  for (uint64_t done = 0; done < size;) {
    const size_t piece = std::min<uint64_t>(buffer_.size(), size - done);
    ENTENTE_RETURN_IF_ERROR(file_->ReadAt(from + done, absl::MakeSpan(buffer_.data(), piece)));
    hash_.Update(absl::string_view(buffer_.data(), piece));
    done += piece;
  }
  return absl::OkStatus();
}

}  // namespace entente
