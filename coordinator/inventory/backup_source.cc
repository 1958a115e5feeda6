// SPDX-License-Identifier: Apache-2.0
#include "coordinator/inventory/backup_source.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "coordinator/inventory/data_directory.h"
#include "coordinator/inventory/inventory.h"

namespace entente::inventory {

BackupSource::BackupSource(const Dependencies& dependencies)
    : deps_(dependencies), hold_(dependencies.spool) {}

BackupSource::~BackupSource() {
  open_file_.reset();
  // A copy that stays is removed by the next backup.
  if (lock_ != nullptr) deps_.files->Remove(CopyPath()).IgnoreError();
}

std::string BackupSource::PathOf(const std::string& name) const {
  return absl::StrCat(deps_.folder, "/", name);
}

std::string BackupSource::CopyPath() const { return PathOf(kJournalCopyFile); }

absl::StatusOr<std::unique_ptr<BackupSource>> BackupSource::Begin(const Dependencies& dependencies,
                                                                  std::set<Digest> present) {
  auto source = absl::WrapUnique(new BackupSource(dependencies));
  ENTENTE_RETURN_IF_ERROR(source->CopyJournal());
  ENTENTE_RETURN_IF_ERROR(source->ListFiles(present));
  return source;
}

absl::Status BackupSource::CopyJournal() {
  auto lock = deps_.files->Lock(PathOf(kBackupLockFile), LockKind::kExclusive);
  if (absl::IsFailedPrecondition(lock.status())) {
    return absl::FailedPreconditionError("another backup is being taken; wait for its end");
  }
  ENTENTE_RETURN_IF_ERROR(lock.status());
  lock_ = *std::move(lock);
  ENTENTE_RETURN_IF_ERROR(deps_.files->Remove(CopyPath()));
  return deps_.journal->CopyTo(CopyPath());
}

absl::Status BackupSource::ListFiles(const std::set<Digest>& present) {
  ENTENTE_ASSIGN_OR_RETURN(const Digest journal_digest, Sha256OfFile(*deps_.files, CopyPath()));
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t journal_bytes, deps_.files->SizeBytes(CopyPath()));
  backup_files_.push_back(
      {.path = kJournalFile, .total_bytes = journal_bytes, .digest = journal_digest});

  ENTENTE_ASSIGN_OR_RETURN(const auto copy,
                           store::SqliteJournal::OpenForRead(deps_.files, CopyPath()));
  ENTENTE_ASSIGN_OR_RETURN(const Inventory inventory, TakeInventory(*copy));
  job_count_ = inventory.jobs().size();
  std::set<std::string> listed;
  for (const InventoriedJob& job : inventory.jobs()) {
    for (const NamedFile& file : job.Files()) {
      if (!listed.insert(file.path).second) continue;
      const absl::StatusOr<uint64_t> bytes = deps_.files->SizeBytes(PathOf(file.path));
      if (bytes.ok()) {
        backup_files_.push_back({.path = file.path,
                                 .total_bytes = *bytes,
                                 .digest = file.digest,
                                 .is_present = present.count(file.digest) > 0});
        continue;
      }
      listed.erase(file.path);  // Another job may need it.
      const std::string what =
          absl::StrCat(file.path, ", ", file.what, " of job ", job.id.value(), ", is missing");
      if (file.is_needed) {
        return absl::DataLossError(
            absl::StrCat(what, "; put it back from an older copy of the data directory"));
      }
      log::Warning("a file is not in the backup", {{"reason", what}});
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> BackupSource::Read(size_t file_index, uint64_t offset,
                                               uint64_t bytes_max) {
  const BackupFile& file = backup_files_[file_index];
  if (open_file_ == nullptr || open_index_ != file_index) {
    const std::string path = file_index == 0 ? CopyPath() : PathOf(file.path);
    ENTENTE_ASSIGN_OR_RETURN(open_file_, deps_.files->OpenForRead(path));
    open_index_ = file_index;
  }
  std::string data(std::min(bytes_max, file.total_bytes - offset), '\0');
  const absl::Status status = open_file_->ReadAt(offset, absl::MakeSpan(data.data(), data.size()));
  if (absl::IsOutOfRange(status)) {
    return absl::DataLossError(absl::StrCat(file.path, " became shorter while it was copied"));
  }
  ENTENTE_RETURN_IF_ERROR(status);
  return data;
}

}  // namespace entente::inventory
