// SPDX-License-Identifier: Apache-2.0
#include "worker/cache/model_cache.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/tensor/safetensors.h"
#include "worker/cache/model_expansion.h"

namespace entente::worker {
namespace {

constexpr char kExpandedSuffix[] = ".fp32";
constexpr char kHalfMadeSuffix[] = ".new";

}  // namespace

ModelCache::Lease::Lease(ModelCache* cache, const Digest& digest, std::string path)
    : cache_(cache), digest_(digest), path_(std::move(path)) {}

ModelCache::Lease::Lease(Lease&& other) noexcept
    : cache_(std::exchange(other.cache_, nullptr)),
      digest_(other.digest_),
      path_(std::move(other.path_)) {}

ModelCache::Lease& ModelCache::Lease::operator=(Lease&& other) noexcept {
  if (cache_ != nullptr) cache_->EndUse(digest_);
  cache_ = std::exchange(other.cache_, nullptr);
  digest_ = other.digest_;
  path_ = std::move(other.path_);
  return *this;
}

ModelCache::Lease::~Lease() {
  if (cache_ != nullptr) cache_->EndUse(digest_);
}

absl::StatusOr<std::string> ModelCache::Lease::ExpandedPath() const {
  return cache_->Expand(digest_);
}

absl::StatusOr<std::unique_ptr<ModelCache>> ModelCache::Open(FileSystem* files,
                                                             const std::string& folder,
                                                             uint64_t bytes_max) {
  ENTENTE_RETURN_IF_ERROR(files->CreateFolder(folder));
  std::unique_ptr<ModelCache> cache(new ModelCache(files, folder, bytes_max));
  ENTENTE_RETURN_IF_ERROR(cache->TakeUpFiles());
  // bytes_max may have been more in an earlier run.
  ENTENTE_RETURN_IF_ERROR(cache->MakeRoom(0));
  return cache;
}

ModelCache::ModelCache(FileSystem* files, std::string folder, uint64_t bytes_max)
    : files_(*files), folder_(std::move(folder)), bytes_max_(bytes_max) {}

absl::Status ModelCache::TakeUpFiles() {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFiles(folder_));
  for (const std::string& name : names) {
    absl::string_view stem = absl::StripSuffix(name, kHalfMadeSuffix);
    if (absl::ConsumeSuffix(&stem, kExpandedSuffix)) {
      if (Digest::FromHex(stem).ok()) {
        ENTENTE_RETURN_IF_ERROR(files_.Remove(absl::StrCat(folder_, "/", name)));
      }
      continue;
    }
    const absl::StatusOr<Digest> digest = Digest::FromHex(name);
    if (!digest.ok()) continue;
    ENTENTE_ASSIGN_OR_RETURN(const uint64_t bytes, files_.SizeBytes(PathOf(*digest)));
    absl::MutexLock lock(&mu_);
    entries_[*digest] = Entry{.bytes = bytes};
    bytes_ += bytes;
  }
  return absl::OkStatus();
}

std::optional<ModelCache::Lease> ModelCache::Find(const Digest& digest) {
  std::optional<Lease> lease;
  {
    absl::MutexLock lock(&mu_);
    const auto entry = entries_.find(digest);
    if (entry == entries_.end()) return std::nullopt;
    lease = Use(digest);
    if (entry->second.is_verified) return lease;
  }
  const absl::StatusOr<Digest> actual = Sha256OfFile(files_, lease->path());
  if (actual.ok() && *actual == digest) {
    absl::MutexLock lock(&mu_);
    entries_[digest].is_verified = true;
    return lease;
  }
  log::Warning("a cached model was spoilt on disk; it will be downloaded again",
               {{"path", lease->path()}});
  lease.reset();
  Drop(digest);
  return std::nullopt;
}

absl::StatusOr<std::unique_ptr<IncomingFile>> ModelCache::BeginDownload(const Digest& digest,
                                                                        uint64_t total_bytes) {
  if (total_bytes > bytes_max_) {
    return absl::ResourceExhaustedError(absl::StrCat("the model has ", total_bytes,
                                                     " bytes, but the cache may hold ", bytes_max_,
                                                     ": raise cacheBytesMax"));
  }
  ENTENTE_RETURN_IF_ERROR(DropOtherParts(digest));
  ENTENTE_RETURN_IF_ERROR(MakeRoom(total_bytes));
  return IncomingFile::Open(files_, PathOf(digest), total_bytes, limits::kWorkerFreeBytesMin);
}

absl::StatusOr<ModelCache::Lease> ModelCache::FinishDownload(const Digest& digest,
                                                             std::unique_ptr<IncomingFile> file) {
  ENTENTE_RETURN_IF_ERROR(file->Verify(digest));
  ENTENTE_RETURN_IF_ERROR(file->Commit());
  absl::MutexLock lock(&mu_);
  Entry& entry = entries_[digest];
  bytes_ += file->total_bytes() - entry.bytes;
  entry.bytes = file->total_bytes();
  entry.is_verified = true;
  return Use(digest);
}

void ModelCache::DropPrevious(const std::string& job_id, const Digest& next) {
  Digest previous;
  {
    absl::MutexLock lock(&mu_);
    const auto known =
        std::find_if(newest_models_.begin(), newest_models_.end(),
                     [&job_id](const NewestModel& newest) { return newest.job_id == job_id; });
    const bool is_known = known != newest_models_.end();
    if (is_known) {
      previous = known->digest;
      newest_models_.erase(known);
    }
    newest_models_.push_back({.job_id = job_id, .digest = next});
    if (newest_models_.size() > limits::kWorkerModelJobsMax) {
      newest_models_.erase(newest_models_.begin());
    }
    // This job's own, too, if it goes on with what it had.
    const bool is_somebodys =
        std::any_of(newest_models_.begin(), newest_models_.end(),
                    [&previous](const NewestModel& newest) { return newest.digest == previous; });
    if (!is_known || is_somebodys) return;
  }
  Drop(previous);
}

uint64_t ModelCache::bytes() const {
  absl::MutexLock lock(&mu_);
  return bytes_;
}

absl::Status ModelCache::DropOtherParts(const Digest& wanted) {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFiles(folder_));
  for (const std::string& name : names) {
    absl::string_view stem = name;
    if (!absl::ConsumeSuffix(&stem, kPartSuffix) || stem == wanted.ToHex()) continue;
    if (Digest::FromHex(stem).ok()) {
      ENTENTE_RETURN_IF_ERROR(files_.Remove(absl::StrCat(folder_, "/", name)));
    }
  }
  return absl::OkStatus();
}

absl::Status ModelCache::MakeRoom(uint64_t bytes) {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<Digest> removed, TakeOut(bytes));
  absl::Status status;
  for (const Digest& old : removed) status.Update(RemoveFiles(old));
  return status;
}

absl::StatusOr<std::vector<Digest>> ModelCache::TakeOut(uint64_t bytes) {
  std::vector<Digest> removed;
  absl::MutexLock lock(&mu_);
  uint64_t bytes_in_use = 0;
  std::vector<std::pair<uint64_t, Digest>> idle;  // By last use.
  for (const auto& [digest, entry] : entries_) {
    if (entry.users > 0) {
      bytes_in_use += entry.bytes + entry.expanded_bytes;
    } else {
      idle.emplace_back(entry.last_use, digest);
    }
  }
  if (bytes_in_use + bytes > bytes_max_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the model has ", bytes, " bytes, but of the ", bytes_max_,
                     " the cache may hold ", bytes_in_use, " are in use: raise cacheBytesMax"));
  }
  std::sort(idle.begin(), idle.end());
  for (const auto& [last_use, digest] : idle) {
    if (bytes_ + bytes <= bytes_max_) break;
    bytes_ -= entries_[digest].bytes + entries_[digest].expanded_bytes;
    entries_.erase(digest);
    removed.push_back(digest);
  }
  return removed;
}

absl::StatusOr<std::string> ModelCache::Expand(const Digest& digest) {
  const std::string path = ExpandedPathOf(digest);
  {
    absl::MutexLock lock(&mu_);
    if (entries_[digest].expanded_bytes > 0) return path;
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> model,
                           SafetensorsReader::Open(files_, PathOf(digest)));
  ENTENTE_ASSIGN_OR_RETURN(const Layout expanded, ExpandedLayout(model->layout()));
  if (expanded == model->layout()) return PathOf(digest);
  const uint64_t bytes = SafetensorsFileBytes(expanded);
  ENTENTE_RETURN_IF_ERROR(MakeRoom(bytes));
  const std::string half_made = path + kHalfMadeSuffix;
  absl::Status made = ExpandModel(files_, *model, expanded, half_made);
  if (made.ok()) made = files_.Rename(half_made, path);
  if (!made.ok()) {
    files_.Remove(half_made).IgnoreError();  // The first error is the one to report.
    return made;
  }
  absl::MutexLock lock(&mu_);
  entries_[digest].expanded_bytes = bytes;
  bytes_ += bytes;
  return path;
}

absl::Status ModelCache::RemoveFiles(const Digest& digest) {
  ENTENTE_RETURN_IF_ERROR(files_.Remove(ExpandedPathOf(digest)));
  return files_.Remove(PathOf(digest));
}

std::string ModelCache::ExpandedPathOf(const Digest& digest) const {
  return PathOf(digest) + kExpandedSuffix;
}

std::string ModelCache::PathOf(const Digest& digest) const {
  return absl::StrCat(folder_, "/", digest.ToHex());
}

ModelCache::Lease ModelCache::Use(const Digest& digest) {
  Entry& entry = entries_[digest];
  ++entry.users;
  entry.last_use = next_use_++;
  return Lease(this, digest, PathOf(digest));
}

void ModelCache::EndUse(const Digest& digest) {
  absl::MutexLock lock(&mu_);
  --entries_[digest].users;
}

void ModelCache::Drop(const Digest& digest) {
  {
    absl::MutexLock lock(&mu_);
    const auto entry = entries_.find(digest);
    if (entry == entries_.end() || entry->second.users > 0) return;
    bytes_ -= entry->second.bytes + entry->second.expanded_bytes;
    entries_.erase(entry);
  }
  if (const absl::Status removed = RemoveFiles(digest); !removed.ok()) {
    log::Warning("cannot remove a cached model", {{"reason", removed.message()}});
  }
}

}  // namespace entente::worker
