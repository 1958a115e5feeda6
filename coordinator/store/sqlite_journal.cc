// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/sqlite_journal.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "coordinator/store/journal_schema.h"
#include "coordinator/store/log_mark.h"
#include "coordinator/store/sqlite_log_check.h"

namespace entente::store {
namespace {

// 1 MiB a step.
constexpr int kCopyPages = 256;

std::string LockPath(const std::string& path) { return path + ".lock"; }

absl::StatusOr<std::unique_ptr<FileLock>> LockJournal(FileSystem& files, const std::string& path,
                                                      LockKind kind) {
  auto lock = files.Lock(LockPath(path), kind);
  if (absl::IsFailedPrecondition(lock.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat("another process uses this data directory: ", lock.status().message(),
                     "; stop it or wait for its end, or choose another dataDirectory"));
  }
  if (lock.ok()) return lock;
  if (absl::IsResourceExhausted(lock.status())) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot open the journal ", path, ": ", lock.status().message()));
  }
  // Its folder is there by now, so most often this account may not write to it; but not always.
  const bool may_be_forbidden = kind == LockKind::kExclusive && absl::IsUnavailable(lock.status());
  return absl::UnavailableError(absl::StrCat(
      "cannot open the journal ", path, ": ", lock.status().message(),
      may_be_forbidden ? "; dataDirectory must be a folder that this account may write to" : ""));
}

// SQLite removes the log of an empty database.
absl::Status CheckLogHasItsJournal(FileSystem& files, const std::string& path) {
  const auto bytes = files.SizeBytes(path);
  if (bytes.ok() && *bytes > 0) return absl::OkStatus();
  const std::string log = LogPathOf(path);
  const auto log_bytes = files.SizeBytes(log);
  if (!log_bytes.ok() || *log_bytes == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the journal ", path, " is ", bytes.ok() ? "empty" : "missing", ", but its log ", log,
      " is there; nothing was changed: put back a copy of the whole data directory"));
}

// An empty one is as good as none to SQLite, and stays.
bool HasTransaction(FileSystem& files, const std::string& path) {
  return files.SizeBytes(path + "-journal").value_or(0) > 0;
}

absl::Status SetUpForWriting(SqliteConnection& database, int64_t schema_version) {
  // FULL syncs the log at each commit. Whether a sync waits for the disk is the file system's.
  ENTENTE_RETURN_IF_ERROR(database.Execute("PRAGMA synchronous = FULL"));
  ENTENTE_RETURN_IF_ERROR(database.Execute("PRAGMA journal_mode = WAL"));
  return MigrateSchema(database, schema_version);
}

// SQLite's integers are signed, and nothing of ours reaches so far.
int64_t ClampedNumber(uint64_t number) {
  return static_cast<int64_t>(std::min(number, uint64_t{INT64_MAX}));
}

// SQLite's report of damage has a headline, and a line for each fault.
absl::string_view FirstFault(absl::string_view report) {
  absl::ConsumePrefix(&report, "*** in database main ***");
  report = absl::StripLeadingAsciiWhitespace(report);
  return report.substr(0, report.find('\n'));
}

absl::Status DamagedRow(const std::string& path, const JournalRow& row, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("event ", row.sequence, " of job ", row.job, " in ", path,
                                          " ", what,
                                          "; put back a copy of the whole data directory"));
}

}  // namespace

SqliteJournal::SqliteJournal(FileSystem* files, std::string path, Parts parts, LossListener on_loss)
    : files_(*files),
      path_(std::move(path)),
      on_loss_(std::move(on_loss)),
      parts_(std::move(parts)) {}

SqliteJournal::~SqliteJournal() {
  // Its members close it. After a loss the log may be what is whole of the two.
  if (!loss_.ok() || (is_settled_ && !ClearLogMark(*parts_.database).ok())) {
    parts_.database->MoveLogOnClose(false);
  }
}

absl::StatusOr<SqliteJournal::Parts> SqliteJournal::OpenParts(FileSystem& files,
                                                              const std::string& path,
                                                              SqliteFileSystem::Access access,
                                                              std::unique_ptr<FileLock> lock) {
  Parts parts;
  parts.lock = std::move(lock);
  parts.disk = std::make_unique<SqliteFileSystem>(&files, access);
  const absl::Status log_is_made = CheckLogIsMade(files, path);
  ENTENTE_ASSIGN_OR_RETURN(parts.database, SqliteConnection::Open(parts.disk.get(), path));
  parts.database->MoveLogOnClose(false);  // What is refused stays as it is.
  ENTENTE_ASSIGN_OR_RETURN(parts.schema_version, CheckSchema(*parts.database, path));
  ENTENTE_ASSIGN_OR_RETURN(parts.is_marked, HasLogMark(*parts.database, parts.schema_version));
  if (parts.is_marked) ENTENTE_RETURN_IF_ERROR(log_is_made);
  return parts;
}

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(FileSystem* files,
                                                                   const std::string& path,
                                                                   LossListener on_loss) {
  using Access = SqliteFileSystem::Access;
  ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock,
                           LockJournal(*files, path, LockKind::kExclusive));
  ENTENTE_RETURN_IF_ERROR(CheckLogHasItsJournal(*files, path));
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t log_bytes, CheckSqliteLog(*files, path));
  // What is refused stays as it is, and merely closing a database that was opened for writing moves
  // its log into it. Only a transaction that has to be undone first cannot be looked at like that.
  if (files->Exists(path) && !HasTransaction(*files, path)) {
    ENTENTE_RETURN_IF_ERROR(OpenParts(*files, path, Access::kRead, nullptr).status());
  }
  ENTENTE_RETURN_IF_ERROR(WriteLogAgain(*files, path));
  ENTENTE_ASSIGN_OR_RETURN(Parts parts,
                           OpenParts(*files, path, Access::kReadWrite, std::move(lock)));
  parts.was_left_open = log_bytes > 0 || parts.is_marked;  // Closing it moves the log into it.
  // Only where there was none: it may be what is whole of the two, see Settle.
  if (!parts.was_left_open) parts.database->MoveLogOnClose(true);
  ENTENTE_RETURN_IF_ERROR(SetUpForWriting(*parts.database, parts.schema_version));
  parts.schema_version = kSchemaVersion;
  return absl::WrapUnique(new SqliteJournal(files, path, std::move(parts), std::move(on_loss)));
}

absl::StatusOr<std::unique_ptr<const SqliteJournal>> SqliteJournal::OpenForRead(
    FileSystem* files, const std::string& path) {
  std::unique_ptr<FileLock> lock;
  if (files->Exists(LockPath(path))) {
    ENTENTE_ASSIGN_OR_RETURN(lock, LockJournal(*files, path, LockKind::kShared));
  }
  ENTENTE_RETURN_IF_ERROR(CheckLogHasItsJournal(*files, path));
  if (!files->Exists(path)) return absl::NotFoundError(absl::StrCat("there is no ", path));
  ENTENTE_RETURN_IF_ERROR(CheckSqliteLog(*files, path).status());
  ENTENTE_ASSIGN_OR_RETURN(
      Parts parts, OpenParts(*files, path, SqliteFileSystem::Access::kRead, std::move(lock)));
  return absl::WrapUnique<const SqliteJournal>(
      new SqliteJournal(files, path, std::move(parts), /*on_loss=*/nullptr));
}

absl::Status SqliteJournal::CopyTo(const std::string& path) const {
  if (files_.Exists(path)) {
    return absl::AlreadyExistsError(absl::StrCat(path, " is there already"));
  }
  absl::Status status;
  {
    SqliteFileSystem disk(&files_, SqliteFileSystem::Access::kReadWrite);
    auto copy = SqliteConnection::Open(&disk, path);  // SQLite drops the log of an empty one.
    status = copy.status();
    // A copy that is cut off is begun anew, so nothing has to be undone in it.
    if (status.ok()) status = (*copy)->Execute("PRAGMA journal_mode = OFF");
    if (status.ok()) status = CopyPages(**copy);
  }
  if (status.ok()) status = ClearMarkOfCopy(path);
  if (!status.ok()) {  // It has the reason.
    files_.Remove(path).IgnoreError();
    files_.Remove(LogPathOf(path)).IgnoreError();
  }
  return status;
}

absl::Status SqliteJournal::ClearMarkOfCopy(const std::string& path) const {
  {
    SqliteFileSystem disk(&files_, SqliteFileSystem::Access::kReadWrite);
    ENTENTE_ASSIGN_OR_RETURN(const auto copy, SqliteConnection::Open(&disk, path));
    ENTENTE_RETURN_IF_ERROR(ClearLogMark(*copy));
  }
  // Closing says nothing, but keeps a log that it could not move.
  if (!files_.Exists(LogPathOf(path))) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the log of the copy ", path, " could not be moved into it; try again"));
}

absl::Status SqliteJournal::CopyPages(SqliteConnection& to) const {
  sqlite3_backup* backup = nullptr;
  {
    absl::MutexLock lock(&mu_);
    backup = sqlite3_backup_init(to.get(), "main", parts_.database->get(), "main");
  }
  if (backup == nullptr) return to.StatusOf(sqlite3_errcode(to.get()), "copy");
  int code = SQLITE_OK;
  while (code == SQLITE_OK) {
    // Appends get a turn between two steps. What they change of the pages that are copied already,
    // SQLite changes in the copy as well, so it ends as the journal is at its last step.
    absl::MutexLock lock(&mu_);
    code = sqlite3_backup_step(backup, kCopyPages);
  }
  absl::MutexLock lock(&mu_);
  sqlite3_backup_finish(backup);
  return code == SQLITE_DONE ? absl::OkStatus() : to.StatusOf(code, "copy");
}

absl::Status SqliteJournal::CheckIntegrity() const {
  absl::MutexLock lock(&mu_);
  ENTENTE_ASSIGN_OR_RETURN(SqliteStatement statement,
                           parts_.database->Prepare("PRAGMA integrity_check(1)"));
  const int code = statement.Step();
  if (code != SQLITE_ROW) return parts_.database->StatusOf(code, "check");
  if (statement.Text(0) == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the journal ", path_, " is damaged (",
                                          FirstFault(statement.Text(0)),
                                          "); put back a copy of the whole data directory"));
}

bool SqliteJournal::IsBlank() const {
  absl::MutexLock lock(&mu_);
  return parts_.schema_version == 0;
}

bool SqliteJournal::WasLeftOpen() const {
  absl::MutexLock lock(&mu_);
  return parts_.was_left_open;
}

absl::StatusOr<bool> SqliteJournal::HasEntries() const {
  absl::MutexLock lock(&mu_);
  if (parts_.schema_version == 0) return false;
  ENTENTE_ASSIGN_OR_RETURN(
      const int64_t found,
      parts_.database->QueryInteger("SELECT EXISTS (SELECT 1 FROM events LIMIT 1)"));
  return found != 0;
}

absl::StatusOr<std::string> SqliteJournal::ReadAlliance() const {
  if (!HasFacts(parts_.schema_version)) return std::string();
  ENTENTE_ASSIGN_OR_RETURN(
      SqliteStatement statement,
      parts_.database->Prepare("SELECT value FROM facts WHERE name = 'alliance'"));
  const int code = statement.Step();
  if (code == SQLITE_DONE) return std::string();
  if (code != SQLITE_ROW) return parts_.database->StatusOf(code, "read");
  return std::string(statement.Text(0));
}

absl::StatusOr<std::string> SqliteJournal::Alliance() const {
  absl::MutexLock lock(&mu_);
  return ReadAlliance();
}

absl::Status SqliteJournal::CheckOwner(const std::string& owner,
                                       const std::string& alliance) const {
  if (owner.empty() || owner == alliance) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the journal ", path_, " is the alliance ", owner, "'s, the configuration's is ", alliance,
      "; nothing was changed: correct alliance.trustDomain, or choose another dataDirectory"));
}

absl::Status SqliteJournal::CheckIsOf(const std::string& alliance) const {
  ENTENTE_ASSIGN_OR_RETURN(const std::string owner, Alliance());
  return CheckOwner(owner, alliance);
}

absl::Status SqliteJournal::BelongTo(const std::string& alliance) {
  absl::MutexLock lock(&mu_);
  ENTENTE_ASSIGN_OR_RETURN(const std::string owner, ReadAlliance());
  if (!owner.empty()) return CheckOwner(owner, alliance);
  ENTENTE_ASSIGN_OR_RETURN(
      SqliteStatement statement,
      parts_.database->Prepare("INSERT INTO facts (name, value) VALUES ('alliance', ?)"));
  statement.BindText(1, alliance);
  const int code = statement.Step();
  return code == SQLITE_DONE ? absl::OkStatus() : parts_.database->StatusOf(code, "write");
}

void SqliteJournal::Settle() {
  absl::Status marked;
  {
    absl::MutexLock lock(&mu_);
    if (!loss_.ok()) return;
    parts_.database->MoveLogOnClose(true);
    is_settled_ = true;
    marked = SetLogMark(*parts_.database);
  }
  // No reason to stop; a sync that failed is, and the next append says so.
  if (marked.ok()) return;
  log::Warning("should the journal lose its log, the next start may not notice",
               {{"reason", marked.message()}});
}

absl::Status SqliteJournal::Append(const JournalEntry& entry) {
  absl::Status inserted;
  absl::Status loss;
  {
    absl::MutexLock lock(&mu_);
    if (!loss_.ok()) return loss_;
    inserted = Insert(entry);
    loss_ = LossAfter(inserted);
    loss = loss_;
  }
  if (loss.ok()) return inserted;
  if (on_loss_) on_loss_(loss);
  // A commit may be safe and the checkpoint that follows it not.
  return inserted.ok() ? inserted : loss;
}

absl::Status SqliteJournal::Insert(const JournalEntry& entry) {
  const std::string record = entry.record.SerializeAsString();
  const JournalRow row{.job = entry.job.value(),
                       .sequence = static_cast<int64_t>(entry.sequence),
                       .at_us = absl::ToUnixMicros(entry.at),
                       .record = record};
  ENTENTE_ASSIGN_OR_RETURN(SqliteStatement statement,
                           parts_.database->Prepare("INSERT INTO events (job, sequence, at_us, "
                                                    "record, checksum) VALUES (?, ?, ?, ?, ?)"));
  statement.BindText(1, row.job);
  statement.BindInteger(2, row.sequence);
  statement.BindInteger(3, row.at_us);
  statement.BindBlob(4, row.record);
  statement.BindInteger(5, ChecksumOf(row));
  const int code = statement.Step();
  return code == SQLITE_DONE ? absl::OkStatus() : parts_.database->StatusOf(code, "write");
}

absl::Status SqliteJournal::LossAfter(const absl::Status& inserted) const {
  const absl::Status& synced = parts_.disk->sync_status();
  // Somebody else's event is where ours should be: there are more of them than we have seen.
  const bool is_lost = absl::IsDataLoss(inserted) || absl::IsAborted(inserted);
  if (synced.ok() && !is_lost) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("what the journal ", path_, " holds on the disk is not known any more (",
                   synced.ok() ? inserted.message() : synced.message(),
                   "); start the coordinator again, so that it is read anew"));
}

absl::StatusOr<std::vector<std::string>> SqliteJournal::JobsInOrder() const {
  ENTENTE_ASSIGN_OR_RETURN(
      SqliteStatement statement,
      parts_.database->Prepare("SELECT job FROM events GROUP BY job ORDER BY MIN(id)"));
  std::vector<std::string> jobs;
  int code = SQLITE_ROW;
  while ((code = statement.Step()) == SQLITE_ROW) jobs.emplace_back(statement.Text(0));
  if (code != SQLITE_DONE) return parts_.database->StatusOf(code, "read");
  return jobs;
}

absl::Status SqliteJournal::Replay(
    const std::function<absl::Status(const JournalEntry&)>& visit) const {
  absl::MutexLock lock(&mu_);
  if (parts_.schema_version == 0) return absl::OkStatus();  // An empty file, only read.
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> jobs, JobsInOrder());
  for (const std::string& job : jobs) ENTENTE_RETURN_IF_ERROR(ReplayJob(job, visit));
  return absl::OkStatus();
}

absl::Status SqliteJournal::ReplayJob(
    const std::string& job, const std::function<absl::Status(const JournalEntry&)>& visit) const {
  ENTENTE_ASSIGN_OR_RETURN(SqliteStatement statement, Select("WHERE job = ?1 ORDER BY sequence"));
  statement.BindText(1, job);
  int code = SQLITE_ROW;
  while ((code = statement.Step()) == SQLITE_ROW) {
    ENTENTE_ASSIGN_OR_RETURN(const PlacedEntry placed, EntryAt(statement));
    ENTENTE_RETURN_IF_ERROR(visit(placed.entry));
  }
  return code == SQLITE_DONE ? absl::OkStatus() : parts_.database->StatusOf(code, "read");
}

absl::StatusOr<std::vector<PlacedEntry>> SqliteJournal::ReadBack(const JobId& job,
                                                                 uint64_t position,
                                                                 uint32_t count_max) const {
  absl::MutexLock lock(&mu_);
  // Of one job its own order does, for which there is an index.
  ENTENTE_ASSIGN_OR_RETURN(
      SqliteStatement statement,
      Select(job.empty() ? "WHERE id < ?2 ORDER BY id DESC LIMIT ?3"
                         : "WHERE job = ?1 AND id < ?2 ORDER BY sequence DESC LIMIT ?3"));
  if (!job.empty()) statement.BindText(1, job.value());
  statement.BindInteger(2, position == 0 ? INT64_MAX : ClampedNumber(position));
  statement.BindInteger(3, count_max);
  return ReadAll(statement);
}

absl::StatusOr<std::vector<PlacedEntry>> SqliteJournal::ReadOn(const JobId& job, uint64_t sequence,
                                                               uint32_t count_max) const {
  absl::MutexLock lock(&mu_);
  ENTENTE_ASSIGN_OR_RETURN(SqliteStatement statement,
                           Select("WHERE job = ?1 AND sequence >= ?2 ORDER BY sequence LIMIT ?3"));
  statement.BindText(1, job.value());
  statement.BindInteger(2, ClampedNumber(sequence));
  statement.BindInteger(3, count_max);
  return ReadAll(statement);
}

absl::StatusOr<SqliteStatement> SqliteJournal::Select(absl::string_view which) const {
  return parts_.database->Prepare(absl::StrCat(
      "SELECT job, sequence, at_us, record, ",
      HasChecksums(parts_.schema_version) ? "checksum" : "0", ", id FROM events ", which));
}

absl::StatusOr<PlacedEntry> SqliteJournal::EntryAt(const SqliteStatement& statement) const {
  const JournalRow row{.job = statement.Text(0),
                       .sequence = statement.Integer(1),
                       .at_us = statement.Integer(2),
                       .record = statement.Blob(3)};
  if (HasChecksums(parts_.schema_version) && statement.Integer(4) != ChecksumOf(row)) {
    return DamagedRow(path_, row, "is damaged: its checksum is another");
  }
  PlacedEntry placed{.position = static_cast<uint64_t>(statement.Integer(5)),
                     .entry = {.job = JobId(std::string(row.job)),
                               .sequence = static_cast<uint64_t>(row.sequence),
                               .at = absl::FromUnixMicros(row.at_us),
                               .record = {}}};
  if (!placed.entry.record.ParseFromArray(row.record.data(), static_cast<int>(row.record.size()))) {
    return DamagedRow(path_, row, "cannot be read");
  }
  return placed;
}

absl::StatusOr<std::vector<PlacedEntry>> SqliteJournal::ReadAll(SqliteStatement& statement) const {
  std::vector<PlacedEntry> found;
  int code = SQLITE_ROW;
  while ((code = statement.Step()) == SQLITE_ROW) {
    ENTENTE_ASSIGN_OR_RETURN(PlacedEntry placed, EntryAt(statement));
    found.push_back(std::move(placed));
  }
  if (code != SQLITE_DONE) return parts_.database->StatusOf(code, "read");
  return found;
}

}  // namespace entente::store
