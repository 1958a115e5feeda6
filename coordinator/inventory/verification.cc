// SPDX-License-Identifier: Apache-2.0
#include "coordinator/inventory/verification.h"

#include <memory>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/file_name.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "coordinator/inventory/data_directory.h"
#include "coordinator/inventory/inventory.h"
#include "coordinator/models/model_store.h"
#include "coordinator/store/sqlite_journal.h"
#include "coordinator/store/sqlite_log_check.h"
#include "coordinator/updates/spool_check.h"

namespace entente::inventory {
namespace {

// What may lie beside the journal, the models and the spool, by how its name begins.
constexpr const char* kBesideTheJournal[] = {kJournalFile, kAuthoritiesFile, kBackupLockFile};

// What portFile and http.portFile are called where our scripts have them in the data directory.
constexpr const char* kPortFiles[] = {"port", "http-port"};

// Of the text that says which a model's rounded copy is: more than a digest.
constexpr uint64_t kTextBytesMax = 256;

std::string StatusName(const jobs::JobState& state) {
  return state.paused && !state.HasEnded() ? "paused"
                                           : std::string(jobs::JobStatusName(state.status));
}

bool IsUpdate(const std::string& path) { return absl::StartsWith(path, kSpoolFolder); }

std::string RemedyFor(const NamedFile& file) {
  constexpr absl::string_view kPutBack = ": put it back from a copy of the data directory";
  if (IsUpdate(file.path)) {
    return absl::StrCat(kPutBack,
                        "; without that the coordinator asks its worker again, when it starts");
  }
  return absl::StrCat(kPutBack, file.is_needed
                                    ? "; the job cannot go on without it"
                                    : "; the job does not need it any more, but it cannot be read");
}

class Check {
 public:
  Check(FileSystem* files, std::string folder) : files_(*files), folder_(std::move(folder)) {}

  absl::Status ReadJournal() {
    const std::string path = PathOf(kJournalFile);
    result_.journal_bytes = SizeOf(path) + SizeOf(store::LogPathOf(path));
    // What the start would say.
    if (const absl::Status lost = CheckJournalIsThere(files_, folder_); !lost.ok()) {
      return absl::IsDataLoss(lost) ? Damage(lost) : lost;
    }
    const auto journal = store::SqliteJournal::OpenForRead(&files_, path);
    if (absl::IsDataLoss(journal.status())) return Damage(journal.status());
    ENTENTE_RETURN_IF_ERROR(journal.status());
    if ((*journal)->IsBlank()) {
      return Damage(absl::DataLossError(
          absl::StrCat(path, SizeOf(path) == 0 ? " is empty" : " holds nothing",
                       ": a coordinator that starts here begins without any job; if there were "
                       "jobs, put back a copy of the whole data directory")));
    }
    if (const absl::Status status = (*journal)->CheckIntegrity(); !status.ok()) {
      return Damage(status);
    }
    ENTENTE_ASSIGN_OR_RETURN(result_.alliance, (*journal)->Alliance());
    absl::StatusOr<Inventory> inventory = TakeInventory(**journal);
    if (!inventory.ok()) return Damage(inventory.status());
    result_.journal_is_whole = true;
    AddJobs(*inventory);
    return absl::OkStatus();
  }

  // Whatever is in the folders and was not named.
  void CountTheRest() {
    if (result_.journal_is_whole) CountFiles("", kBesideTheJournal);
    CountFiles(kModelsFolder, {});
    CountFiles(kSpoolFolder, {});
    for (const std::string& job : FoldersIn(kSpoolFolder)) {
      const std::string job_folder = absl::StrCat(kSpoolFolder, "/", job);
      CountFiles(job_folder, {});
      for (const std::string& attempt : FoldersIn(job_folder)) {
        CountFiles(absl::StrCat(job_folder, "/", attempt), {});
      }
    }
  }

  Verification Take() { return std::move(result_); }

 private:
  std::string PathOf(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  uint64_t SizeOf(const std::string& path) {
    const auto size = files_.SizeBytes(path);
    return size.ok() ? *size : 0;
  }

  // A finding is no error of the check.
  absl::Status Damage(const absl::Status& status) {
    result_.damages.emplace_back(status.message());
    return absl::OkStatus();
  }

  void AddJobs(const Inventory& inventory) {
    result_.event_count = inventory.event_count();
    for (const InventoriedJob& job : inventory.jobs()) {
      result_.jobs.push_back({.id = job.id.value(),
                              .status = StatusName(job.state),
                              .rounds_committed = job.state.rounds_committed,
                              .round_count = job.state.plan.round_count,
                              .event_count = job.event_count});
      CheckSpool(job);
    }
    CheckSpoolOfOthers(inventory);
    // Jobs share models and programs: who cannot go on without one has the say.
    for (const bool is_needed : {true, false}) {
      for (const InventoriedJob& job : inventory.jobs()) {
        for (const NamedFile& file : job.Files()) {
          if (file.is_needed != is_needed) continue;
          if (named_.insert(file.path).second) CheckFile(job, file);
        }
      }
    }
  }

  // Those that the start sets aside.
  void CheckSpoolOfOthers(const Inventory& inventory) {
    std::set<std::string> known;
    for (const InventoriedJob& job : inventory.jobs()) known.insert(FileNameOf(job.id.value()));
    for (const std::string& name : FoldersIn(kSpoolFolder)) {
      if (known.contains(name)) continue;
      result_.journal_is_whole = false;
      const std::string folder = PathOf(absl::StrCat(kSpoolFolder, "/", name));
      result_.damages.push_back(absl::StrCat(
          folder,
          " holds updates of a job that the journal does not know: it has lost its end, or "
          "is another's; put back the newest journal, with its log if there is one, or a copy of "
          "the whole data directory: a coordinator that starts here goes on without that job, and "
          "moves the folder to ",
          PathOf(kSpoolFolder), "-unknown"));
    }
  }

  // What the start would say.
  void CheckSpool(const InventoriedJob& job) {
    if (job.state.HasEnded()) return;
    const absl::Status status =
        updates::CheckSpoolIsNotAhead(files_, PathOf(kSpoolFolder),
                                      {.job = job.id,
                                       .round_index = job.state.round.round_index,
                                       .attempt = job.state.round.attempt});
    if (status.ok()) return;
    result_.journal_is_whole = false;
    result_.damages.emplace_back(status.message());
  }

  void CheckFile(const InventoriedJob& job, const NamedFile& file) {
    const std::string path = PathOf(file.path);
    const std::string fault = FaultOfFile(files_, path, file.digest);
    if (!fault.empty()) {
      result_.damages.push_back(absl::StrCat(path, ", ", file.what, " of job ", job.id.value(),
                                             ", ", fault, RemedyFor(file)));
      return;
    }
    (IsUpdate(file.path) ? result_.updates : result_.models).Add(SizeOf(path));
    if (!IsUpdate(file.path)) CountRoundedCopy(file.path);
  }

  // No event names it, for it is made again from the model when it is missing.
  void CountRoundedCopy(const std::string& model) {
    const std::string pointer = absl::StrCat(model, models::kRoundedSuffix);
    const auto hex = ReadTextFile(files_, PathOf(pointer), kTextBytesMax);
    if (!hex.ok()) return;
    for (const std::string& name : {pointer, absl::StrCat(kModelsFolder, "/", *hex)}) {
      if (named_.insert(name).second) result_.models.Add(SizeOf(PathOf(name)));
    }
  }

  std::vector<std::string> FoldersIn(const std::string& name) {
    auto folders = ListFolders(files_, PathOf(name));
    return folders.ok() ? *std::move(folders) : std::vector<std::string>();
  }

  void CountFiles(const std::string& name, absl::Span<const char* const> expected) {
    const auto names = files_.ListFiles(PathOf(name));
    if (!names.ok()) return;  // A folder that is not there holds nothing.
    for (const std::string& file : *names) {
      bool is_expected = false;
      for (const char* const start : expected) is_expected |= absl::StartsWith(file, start);
      const std::string path = name.empty() ? file : absl::StrCat(name, "/", file);
      for (const char* const port : kPortFiles) is_expected |= path == port;
      if (!is_expected && named_.count(path) == 0) CountUnnamed(path);
    }
  }

  // It may be a job's all the same, if the journal is not whole.
  void CountUnnamed(const std::string& path) {
    const uint64_t file_bytes = SizeOf(PathOf(path));
    if (!result_.journal_is_whole) {
      (IsUpdate(path) ? result_.updates : result_.models).Add(file_bytes);
      return;
    }
    result_.leftover.Add(file_bytes);
    if (result_.leftover_names.size() < kLeftoverNamesMax) result_.leftover_names.push_back(path);
  }

  FileSystem& files_;
  const std::string folder_;
  Verification result_;
  std::set<std::string> named_;
};

std::string Counted(uint64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

std::string FilesText(const FileCount& count) {
  return absl::StrCat(Counted(count.files, "file"), ", ", count.bytes, " bytes");
}

std::string LeftoverText(const Verification& verification) {
  if (!verification.journal_is_whole) {
    return "  left over not known: without its whole journal nobody can tell what belongs to a "
           "job, so remove nothing (files that it does not name are counted, and not checked)\n";
  }
  std::string text = absl::StrCat("  left over ", FilesText(verification.leftover), "\n");
  for (const std::string& name : verification.leftover_names) {
    absl::StrAppend(&text, "            ", absl::Utf8SafeCHexEscape(name), "\n");
  }
  if (const uint64_t more = verification.leftover.files - verification.leftover_names.size();
      more > 0) {
    absl::StrAppend(&text, "            and ", more, " more\n");
  }
  return text;
}

}  // namespace

absl::StatusOr<Verification> VerifyDataDirectory(FileSystem& files, const std::string& folder) {
  Check check(&files, folder);
  ENTENTE_RETURN_IF_ERROR(check.ReadJournal());
  check.CountTheRest();
  return check.Take();
}

std::string VerificationText(const Verification& verification, const std::string& folder) {
  std::string text =
      absl::StrCat(folder, ", of the alliance ",
                   verification.alliance.empty() ? "(not known)" : verification.alliance, "\n");
  for (const Verification::Job& job : verification.jobs) {
    absl::StrAppend(&text, "  job ", job.id, "  ", job.status, "  ", job.rounds_committed, " of ",
                    Counted(job.round_count, "round"), "  ", Counted(job.event_count, "event"),
                    "\n");
  }
  const bool is_read = verification.journal_is_whole || verification.event_count > 0;
  absl::StrAppend(&text, "  journal   ",
                  is_read ? Counted(verification.event_count, "event") : "not read", ", ",
                  verification.journal_bytes, " bytes\n");
  absl::StrAppend(&text, "  models    ", FilesText(verification.models), "\n");
  absl::StrAppend(&text, "  updates   ", FilesText(verification.updates), "\n");
  absl::StrAppend(&text, LeftoverText(verification));
  for (const std::string& damage : verification.damages) {
    absl::StrAppend(&text, "damaged: ", damage, "\n");
  }
  absl::StrAppend(&text,
                  verification.damages.empty()
                      ? "everything that the journal names is there and whole"
                      : absl::StrCat(Counted(verification.damages.size(), "finding")),
                  "\n");
  return text;
}

}  // namespace entente::inventory
