// SPDX-License-Identifier: Apache-2.0
#include "coordinator/inventory/data_directory.h"

#include <algorithm>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/transfer/incoming_file.h"
#include "coordinator/models/model_store.h"
#include "coordinator/store/sqlite_journal.h"

namespace entente::inventory {
namespace {

// Nothing is lost with what was cut while it was written or sent.
bool IsUnfinished(const std::string& name) {
  return absl::StartsWith(name, models::kTemporaryPrefix) || absl::EndsWith(name, kPartSuffix);
}

bool HoldsAnything(FileSystem& files, const std::string& folder) {
  const auto names = files.ListNames(folder);
  if (!names.ok()) return false;  // A folder that is not there holds nothing.
  return !std::all_of(names->begin(), names->end(), IsUnfinished);
}

}  // namespace

absl::Status MakeDataDirectory(FileSystem& files, const std::string& folder) {
  const absl::Status made = files.CreateFolder(folder);
  // A full disk says itself what to do.
  if (made.ok() || absl::IsResourceExhausted(made)) return made;
  return absl::Status(
      made.code(),
      absl::StrCat(made.message(),
                   "; dataDirectory must be a folder that this account may make or write to"));
}

absl::Status CheckJournalIsThere(FileSystem& files, const std::string& folder) {
  const std::string journal = absl::StrCat(folder, "/", kJournalFile);
  // A backup puts the journal in its place last.
  if (!files.Exists(journal) && files.Exists(absl::StrCat(journal, kPartSuffix))) {
    return absl::FailedPreconditionError(absl::StrCat(
        folder, " is an incomplete backup that was cut off, for ", kJournalFile, kPartSuffix,
        " is there and ", kJournalFile,
        " is not; nothing was changed: take it again with \"entente admin backup\" into this "
        "folder, which keeps what has come, or use another backup"));
  }
  const std::string models = absl::StrCat(folder, "/", kModelsFolder);
  const std::string spool = absl::StrCat(folder, "/", kSpoolFolder);
  const bool has_models = HoldsAnything(files, models);
  const bool has_updates = HoldsAnything(files, spool);
  if (!has_models && !has_updates) return absl::OkStatus();
  const auto jobs_are_lost = [&](absl::string_view what_it_is, absl::string_view what_to_put_back) {
    return absl::DataLossError(absl::StrCat(
        journal, " ", what_it_is, ", but ", has_models ? models : spool,
        " is not empty: its jobs would be lost; nothing was changed: put ", what_to_put_back,
        " back from a copy of the whole data directory, or choose another dataDirectory"));
  };

  const auto journal_bytes = files.SizeBytes(journal);
  if (!journal_bytes.ok()) return jobs_are_lost("is missing", "the journal");
  if (*journal_bytes == 0) return jobs_are_lost("is empty", "the journal");

  const auto opened = store::SqliteJournal::OpenForRead(&files, journal);
  if (!opened.ok()) return absl::OkStatus();
  const auto has_entries = (*opened)->HasEntries();
  if (!has_entries.ok() || *has_entries) return absl::OkStatus();
  // A young journal is one blank page, and all else is in its log. Models may be uploaded before
  // the first job, but not before the journal has its tables; an update always has a job.
  if (!has_updates && !(*opened)->IsBlank()) return absl::OkStatus();
  return jobs_are_lost(
      absl::StrCat("holds no events (its log, ", kJournalFile, "-wal, may have been lost)"),
      "the journal, with its log if there is one,");
}

absl::Status CheckJournalIsOf(FileSystem& files, const std::string& folder,
                              const std::string& alliance) {
  const auto journal =
      store::SqliteJournal::OpenForRead(&files, absl::StrCat(folder, "/", kJournalFile));
  return journal.ok() ? (*journal)->CheckIsOf(alliance) : absl::OkStatus();
}

}  // namespace entente::inventory
