// SPDX-License-Identifier: Apache-2.0
#include "cli/backup_files.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/transfer/incoming_file.h"

namespace entente::cli {
namespace {

constexpr char kJournal[] = "journal.sqlite";
constexpr char kStoredFolder[] = "models";

// What SQLite keeps beside a database, and would apply to whichever stands in its place.
constexpr const char* kBesideAJournal[] = {"-wal", "-journal", "-shm"};

// The coordinator is another machine: a name of its choosing must stay in the folder.
absl::Status CheckName(const std::string& name) {
  for (const absl::string_view part : absl::StrSplit(name, '/')) {
    bool is_plain = !part.empty() && part.size() <= 255 && part != "." && part != "..";
    for (const char c : part) {
      is_plain = is_plain && absl::ascii_isprint(static_cast<unsigned char>(c)) && c != '\\';
    }
    if (!is_plain) {
      return absl::InvalidArgumentError(
          absl::StrCat("the coordinator sent a file named \"",
                       absl::CHexEscape(absl::string_view(name).substr(0, 80)),
                       "\", which does not belong into a data directory"));
    }
  }
  return absl::OkStatus();
}

absl::Status Misplaced(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the coordinator's backup is malformed: ", what,
                                                 "; compare \"entente version\" of both sides"));
}

absl::Status CheckNoJournal(FileSystem& files, const std::string& folder) {
  const std::string journal = absl::StrCat(folder, "/", kJournal);
  if (files.Exists(journal)) {
    return absl::AlreadyExistsError(
        absl::StrCat(folder,
                     " holds a data directory already; name another folder, or "
                     "move its journal.sqlite away to have its models used again"));
  }
  for (const char* const suffix : kBesideAJournal) {
    const std::string left = absl::StrCat(journal, suffix);
    if (!files.Exists(left)) continue;
    return absl::AlreadyExistsError(
        absl::StrCat(left,
                     " was left by another journal, and would be taken for a part of the one that "
                     "comes; name another folder, or move that file away too"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::map<Digest, std::string>> StoredFilesIn(FileSystem& files,
                                                            const std::string& folder) {
  std::map<Digest, std::string> present;
  const std::string stored = absl::StrCat(folder, "/", kStoredFolder);
  const auto names = files.ListFiles(stored);
  if (absl::IsNotFound(names.status())) return present;
  ENTENTE_RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    const auto named = Digest::FromHex(name);
    if (!named.ok()) continue;
    ENTENTE_ASSIGN_OR_RETURN(const Digest digest,
                             Sha256OfFile(files, absl::StrCat(stored, "/", name)));
    if (digest == *named) present[digest] = absl::StrCat(kStoredFolder, "/", name);
  }
  return present;
}

BackupFiles::BackupFiles(FileSystem* files, std::string folder,
                         std::map<Digest, std::string> present)
    : files_(*files), folder_(std::move(folder)), present_(std::move(present)) {}

absl::StatusOr<std::unique_ptr<BackupFiles>> BackupFiles::Create(
    FileSystem& files, std::string folder, std::map<Digest, std::string> present) {
  auto backup = absl::WrapUnique(new BackupFiles(&files, std::move(folder), std::move(present)));
  ENTENTE_RETURN_IF_ERROR(CheckNoJournal(files, backup->folder_));
  const absl::Status made = files.CreateFolder(backup->folder_);
  if (absl::IsResourceExhausted(made)) return made;  // It says itself what to do.
  if (!made.ok()) {
    return absl::Status(made.code(), absl::StrCat(made.message(), "; name another folder"));
  }
  return backup;
}

std::string BackupFiles::PathOf(const std::string& name) const {
  return absl::StrCat(folder_, "/", name);
}

absl::Status BackupFiles::Take(const v1::BackupMessage& message) {
  if (has_ended_) return Misplaced("something comes after its end");
  switch (message.kind_case()) {
    case v1::BackupMessage::kFile:
      return BeginFile(message.file());
    case v1::BackupMessage::kData:
      return Append(message.data());
    case v1::BackupMessage::kEnd:
      if (open_file_ != nullptr) return Misplaced("it ends in the middle of a file");
      if (message.end().file_count() != file_count_) return Misplaced("its files are not as many");
      end_ = message.end();
      has_ended_ = true;
      return absl::OkStatus();
    case v1::BackupMessage::KIND_NOT_SET:
      break;
  }
  return Misplaced("a message says nothing");
}

absl::Status BackupFiles::BeginFile(const v1::BackupFile& file) {
  if (open_file_ != nullptr) return Misplaced("a file begins in the middle of another");
  ENTENTE_RETURN_IF_ERROR(CheckName(file.path()));
  if ((file.path() == kJournal) != (file_count_ == 0)) {
    return Misplaced("the journal is not its first file");
  }
  ENTENTE_ASSIGN_OR_RETURN(digest_, Digest::FromRaw(file.digest()));
  ++file_count_;
  if (file.is_present()) return CheckPresent(file);
  file_ = file;
  hash_ = Sha256();
  offset_ = 0;
  const std::filesystem::path path(PathOf(file.path()));
  ENTENTE_RETURN_IF_ERROR(files_.CreateFolder(path.parent_path().string()));
  const std::string arriving = absl::StrCat(path.string(), kPartSuffix);
  ENTENTE_RETURN_IF_ERROR(files_.Remove(arriving));
  ENTENTE_ASSIGN_OR_RETURN(open_file_, files_.OpenForWrite(arriving));
  return EndFileIfWhole();
}

absl::Status BackupFiles::CheckPresent(const v1::BackupFile& file) {
  const auto it = present_.find(digest_);
  if (it != present_.end() && it->second == file.path()) return absl::OkStatus();
  return Misplaced(absl::StrCat(file.path(), " is said to be here, and is not"));
}

absl::Status BackupFiles::Append(const std::string& data) {
  if (open_file_ == nullptr) return Misplaced("bytes come outside of a file");
  if (data.size() > file_.total_bytes() - offset_) return Misplaced("a file is too long");
  ENTENTE_RETURN_IF_ERROR(open_file_->WriteAt(offset_, data));
  hash_.Update(data);
  offset_ += data.size();
  received_bytes_ += data.size();
  return EndFileIfWhole();
}

absl::Status BackupFiles::EndFileIfWhole() {
  if (offset_ < file_.total_bytes()) return absl::OkStatus();
  const std::string path = PathOf(file_.path());
  if (hash_.Current() != digest_) {
    open_file_.reset();
    files_.Remove(absl::StrCat(path, kPartSuffix)).IgnoreError();  // The reason follows.
    return absl::DataLossError(absl::StrCat(
        file_.path(), " is damaged: its SHA-256 is ", hash_.Current().ToHex(), ", announced was ",
        digest_.ToHex(), "; look at the coordinator's disk with entente-coordinator --verify"));
  }
  ENTENTE_RETURN_IF_ERROR(open_file_->Sync());
  open_file_.reset();
  if (file_.path() == kJournal) {
    has_journal_ = true;
    return absl::OkStatus();
  }
  return files_.Rename(absl::StrCat(path, kPartSuffix), path);
}

absl::StatusOr<v1::BackupEnd> BackupFiles::Finish() {
  if (!has_ended_ || !has_journal_) {
    return absl::UnavailableError(
        "the backup was cut off; the same command goes on with the files that have come");
  }
  // Somebody may have started a coordinator there while the files came.
  ENTENTE_RETURN_IF_ERROR(CheckNoJournal(files_, folder_));
  ENTENTE_RETURN_IF_ERROR(
      files_.Rename(absl::StrCat(PathOf(kJournal), kPartSuffix), PathOf(kJournal)));
  return end_;
}

}  // namespace entente::cli
