// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/checkpoint_store.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"

namespace entente::worker {
namespace {

constexpr char kAskedName[] = "asked";
constexpr char kCheckpointSuffix[] = ".checkpoint";
constexpr uint64_t kAskedBytesMax = 4 << 10;

bool IsCheckpointName(absl::string_view name) {
  return absl::EndsWith(name, kCheckpointSuffix) && !absl::StrContains(name, "/");
}

// Empty if the file is not there, or names no checkpoint.
absl::StatusOr<std::string> ReadAsked(FileSystem& files, const std::string& path) {
  const absl::StatusOr<std::string> name = ReadTextFile(files, path, kAskedBytesMax);
  if (absl::IsNotFound(name.status()) || absl::IsInvalidArgument(name.status())) {
    return std::string();
  }
  ENTENTE_RETURN_IF_ERROR(name.status());
  return IsCheckpointName(*name) ? *name : std::string();
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointStore>> CheckpointStore::Open(
    FileSystem* files, const std::string& folder, const std::string& trainer_folder) {
  ENTENTE_RETURN_IF_ERROR(files->CreateFolder(folder));
  std::unique_ptr<CheckpointStore> store(new CheckpointStore(files, folder, trainer_folder));
  ENTENTE_ASSIGN_OR_RETURN(store->asked_, ReadAsked(*files, absl::StrCat(folder, "/", kAskedName)));
  return store;
}

CheckpointStore::CheckpointStore(FileSystem* files, std::string folder, std::string trainer_folder)
    : files_(*files), folder_(std::move(folder)), trainer_folder_(std::move(trainer_folder)) {}

absl::StatusOr<std::string> CheckpointStore::HandOut(const std::string& name) {
  TakeBack();     // Of a task before, in the same trainer.
  asked_ = name;  // First, so that the note goes again whatever comes of writing it.
  ENTENTE_RETURN_IF_ERROR(WriteTextFile(files_, absl::StrCat(folder_, "/", kAskedName), name));
  const std::string kept = absl::StrCat(folder_, "/", name);
  const std::string path = absl::StrCat(trainer_folder_, "/", name);
  if (files_.Exists(kept)) {
    ENTENTE_RETURN_IF_ERROR(files_.Rename(kept, path));
  }
  return path;
}

void CheckpointStore::TakeBack() {
  if (asked_.empty()) return;
  const std::string path = absl::StrCat(trainer_folder_, "/", asked_);
  const absl::StatusOr<PathInfo> info = files_.LookAt(path);
  absl::Status moved = info.status();
  if (info.ok() && info->kind == PathInfo::Kind::kFile) {
    moved = files_.Rename(path, absl::StrCat(folder_, "/", asked_));
  }
  if (!moved.ok() && !absl::IsNotFound(moved)) {
    log::Warning("a checkpoint is lost", {{"path", path}, {"reason", moved.message()}});
  }
  // Tried again next time.
  if (files_.Remove(absl::StrCat(folder_, "/", kAskedName)).ok()) asked_.clear();
  Prune();
}

void CheckpointStore::Drop(absl::string_view stem) {
  RemoveIf([&](absl::string_view name) { return absl::StartsWith(name, stem); });
}

void CheckpointStore::DropOthers(absl::string_view stem, absl::string_view kept) {
  RemoveIf([&](absl::string_view name) {
    return absl::StartsWith(name, stem) && !absl::StartsWith(name, kept);
  });
}

void CheckpointStore::RemoveIf(absl::FunctionRef<bool(absl::string_view)> goes) {
  for (const std::string& folder : {folder_, trainer_folder_}) {
    const absl::StatusOr<std::vector<std::string>> names = files_.ListFiles(folder);
    if (!names.ok()) continue;  // The trainer's folder is made when it first starts.
    for (const std::string& name : *names) {
      if (!IsCheckpointName(name) || !goes(name)) continue;
      const std::string path = absl::StrCat(folder, "/", name);
      if (const absl::Status removed = files_.Remove(path); !removed.ok()) {
        log::Warning("cannot remove a checkpoint", {{"path", path}, {"reason", removed.message()}});
      }
    }
  }
}

void CheckpointStore::Prune() {
  const absl::StatusOr<std::vector<std::string>> names = files_.ListFiles(folder_);
  if (!names.ok()) return;  // Tried again next time.
  std::multimap<absl::Time, std::string> by_time;
  for (const std::string& name : *names) {
    if (!IsCheckpointName(name)) continue;
    const std::string path = absl::StrCat(folder_, "/", name);
    const absl::StatusOr<PathInfo> info = files_.LookAt(path);
    if (info.ok()) by_time.insert({info->modified_at, path});
  }
  while (by_time.size() > limits::kWorkerCheckpointsMax) {
    files_.Remove(by_time.begin()->second).IgnoreError();  // Tried again next time.
    by_time.erase(by_time.begin());
  }
}

}  // namespace entente::worker
