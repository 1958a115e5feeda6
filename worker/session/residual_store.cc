// SPDX-License-Identifier: Apache-2.0
#include "worker/session/residual_store.h"

#include <map>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "worker/session/task_key.h"

namespace entente::worker {
namespace {

constexpr char kResidualSuffix[] = ".residual";
constexpr char kNewSuffix[] = ".new";

}  // namespace

absl::StatusOr<std::unique_ptr<ResidualStore>> ResidualStore::Open(FileSystem* files,
                                                                   const std::string& folder) {
  ENTENTE_RETURN_IF_ERROR(files->CreateFolder(folder));
  std::unique_ptr<ResidualStore> store = absl::WrapUnique(new ResidualStore(files, folder));
  ENTENTE_RETURN_IF_ERROR(store->TakeUpFiles());
  return store;
}

ResidualStore::ResidualStore(FileSystem* files, std::string folder)
    : files_(*files), folder_(std::move(folder)) {}

std::string ResidualStore::NewPath(absl::string_view job_id) const {
  return absl::StrCat(folder_, "/", JobFileStem(job_id), kNewSuffix);
}

absl::Status ResidualStore::Keep(absl::string_view job_id, const Digest& update) {
  const std::string stem = JobFileStem(job_id);
  // To open it for writing would make one that is not there.
  ENTENTE_RETURN_IF_ERROR(files_.SizeBytes(NewPath(job_id)).status());
  {
    // Whoever wrote it may not have: nothing else tells a torn residual from a whole one.
    ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                             files_.OpenForWrite(NewPath(job_id)));
    ENTENTE_RETURN_IF_ERROR(file->Sync());
  }
  ENTENTE_RETURN_IF_ERROR(files_.Rename(NewPath(job_id), PathOf(stem, update)));
  Use(stem);
  while (stems_.size() > limits::kWorkerResidualJobsMax) {
    const std::string oldest = stems_.front();
    stems_.erase(stems_.begin());
    ENTENTE_RETURN_IF_ERROR(RemoveOthers(oldest, ""));
  }
  return absl::OkStatus();
}

std::optional<std::string> ResidualStore::Find(absl::string_view job_id, const Digest& update) {
  const std::string stem = JobFileStem(job_id);
  const std::string path = PathOf(stem, update);
  if (!files_.Exists(path)) return std::nullopt;
  Use(stem);
  return path;
}

absl::Status ResidualStore::KeepOnly(absl::string_view job_id, const Digest& update) {
  const std::string stem = JobFileStem(job_id);
  const std::string kept_path = update.IsNone() ? "" : PathOf(stem, update);
  if (kept_path.empty() || !files_.Exists(kept_path)) std::erase(stems_, stem);
  return RemoveOthers(stem, kept_path);
}

absl::Status ResidualStore::RemoveOthers(const std::string& stem, const std::string& kept_path) {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFiles(folder_));
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(folder_, "/", name);
    if (!absl::StartsWith(name, stem) || path == kept_path) continue;
    ENTENTE_RETURN_IF_ERROR(files_.Remove(path));
  }
  return absl::OkStatus();
}

absl::Status ResidualStore::TakeUpFiles() {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFiles(folder_));
  std::multimap<absl::Time, std::string> by_time;
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(folder_, "/", name);
    if (!absl::EndsWith(name, kResidualSuffix)) {
      ENTENTE_RETURN_IF_ERROR(files_.Remove(path));  // Half made.
      continue;
    }
    ENTENTE_ASSIGN_OR_RETURN(const PathInfo info, files_.LookAt(path));
    by_time.insert({info.modified_at, name.substr(0, kFileStemDigits)});
  }
  for (const auto& [time, stem] : by_time) Use(stem);
  return absl::OkStatus();
}

void ResidualStore::Use(const std::string& stem) {
  std::erase(stems_, stem);
  stems_.push_back(stem);
}

std::string ResidualStore::PathOf(absl::string_view stem, const Digest& update) const {
  return absl::StrCat(folder_, "/", stem, "-", update.ToHex(), kResidualSuffix);
}

}  // namespace entente::worker
