// SPDX-License-Identifier: Apache-2.0
#include "coordinator/updates/update_spool.h"

#include <set>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/file_name.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"

namespace entente::updates {
namespace {

// More than any id that was checked has: a job's at most 47, a member's 40, a worker's 63.
constexpr size_t kIdBytesMax = 128;

bool IsPlain(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}

absl::Status CheckId(absl::string_view what, absl::string_view id) {
  bool is_plain = !id.empty() && id.size() <= kIdBytesMax;
  for (const char c : id) is_plain = is_plain && (IsPlain(c) || c == '.');
  if (is_plain && id != "." && id != "..") return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " \"", absl::CHexEscape(id.substr(0, 80)), "\" cannot name a file"));
}

absl::Status CheckKey(const SpoolKey& key) {
  ENTENTE_RETURN_IF_ERROR(CheckId("job", key.job.value()));
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(key.worker.value(), absl::MaxSplits('/', 1));
  ENTENTE_RETURN_IF_ERROR(CheckId("member", parts.first));
  return CheckId("worker", parts.second);
}

std::string AttemptName(const JobId& job, uint32_t round_index, uint32_t attempt) {
  return absl::StrCat(FileNameOf(job.value()), "/", round_index, "-", attempt);
}

// What the names of a worker's updates have before the digest: "fr-lab+gpu-1-". A '+' is in no id,
// so two workers never share a name.
std::string SenderName(const SpoolKey& key) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(key.worker.value(), absl::MaxSplits('/', 1));
  return absl::StrCat(FileNameOf(parts.first), "+", FileNameOf(parts.second), "-");
}

}  // namespace

UpdateSpool::UpdateSpool(FileSystem* files, std::string folder, uint64_t quota_bytes)
    : files_(*files), folder_(std::move(folder)), space_(files, folder_, quota_bytes) {}

absl::StatusOr<std::unique_ptr<UpdateSpool>> UpdateSpool::Create(FileSystem& files,
                                                                 std::string folder,
                                                                 uint64_t quota_bytes) {
  ENTENTE_RETURN_IF_ERROR(files.CreateFolder(folder));
  auto spool = absl::WrapUnique(new UpdateSpool(&files, std::move(folder), quota_bytes));
  ENTENTE_RETURN_IF_ERROR(spool->CountWhatIsThere());
  return spool;
}

absl::StatusOr<std::vector<std::string>> UpdateSpool::AttemptFolders() const {
  std::vector<std::string> folders;
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> jobs, ListFolders(files_, folder_));
  for (const std::string& job : jobs) {
    const std::string job_folder = absl::StrCat(folder_, "/", job);
    ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> attempts,
                             ListFolders(files_, job_folder));
    for (const std::string& attempt : attempts) {
      folders.push_back(absl::StrCat(job_folder, "/", attempt));
    }
  }
  return folders;
}

absl::Status UpdateSpool::CountWhatIsThere() {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> folders, AttemptFolders());
  for (const std::string& folder : folders) {
    ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFiles(folder));
    for (const std::string& name : names) {
      space_.AddPresent(absl::StrCat(folder, "/", absl::StripSuffix(name, kPartSuffix)));
    }
  }
  return absl::OkStatus();
}

std::string UpdateSpool::FolderOf(const JobId& job, uint32_t round_index, uint32_t attempt) const {
  return absl::StrCat(folder_, "/", AttemptName(job, round_index, attempt));
}

std::string UpdateSpool::JobFolderOf(const JobId& job) const {
  return absl::StrCat(folder_, "/", FileNameOf(job.value()));
}

std::string UpdateSpool::PathOf(const SpoolKey& key) const {
  return absl::StrCat(folder_, "/", NameOf(key));
}

std::string UpdateSpool::NameOf(const SpoolKey& key) {
  return absl::StrCat(AttemptName(key.job, key.round_index, key.attempt), "/", SenderName(key),
                      key.digest.ToHex());
}

absl::StatusOr<IncomingUpdate> UpdateSpool::Receive(const SpoolKey& key, uint64_t total_bytes,
                                                    uint64_t free_bytes_min) {
  ENTENTE_RETURN_IF_ERROR(CheckKey(key));
  const std::string path = PathOf(key);
  const std::string what = absl::StrCat("the update of ", key.worker.value());
  ENTENTE_ASSIGN_OR_RETURN(PathLease lease, leases_.Take(path, what));
  const std::string folder = FolderOf(key.job, key.round_index, key.attempt);
  // An upload that has no part yet is one as well.
  ENTENTE_ASSIGN_OR_RETURN(PathLease one_at_a_time,
                           leases_.Take(absl::StrCat(folder, "/", SenderName(key)),
                                        absl::StrCat("another update of ", key.worker.value())));
  ENTENTE_RETURN_IF_ERROR(files_.CreateFolder(folder));
  ENTENTE_RETURN_IF_ERROR(DropOtherParts(key));
  ENTENTE_ASSIGN_OR_RETURN(SpaceReservation space,
                           space_.Reserve({.path = path,
                                           .what = what,
                                           .total_bytes = total_bytes,
                                           .free_bytes_min = free_bytes_min,
                                           .account = SpaceLedger::Account::kSpool}));
  // The ledger has looked at the disk already, and knows what others were promised of it.
  ENTENTE_ASSIGN_OR_RETURN(
      std::unique_ptr<IncomingFile> file,
      IncomingFile::Open(files_, path, total_bytes, /*free_bytes_min=*/0, std::move(lease)));
  return IncomingUpdate{.one_at_a_time = std::move(one_at_a_time),
                        .file = std::move(file),
                        .space = std::move(space)};
}

absl::Status UpdateSpool::DropOtherParts(const SpoolKey& key) {
  const std::string sender = SenderName(key);
  const std::string own_name = absl::StrCat(sender, key.digest.ToHex(), kPartSuffix);
  const std::string folder = FolderOf(key.job, key.round_index, key.attempt);
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFiles(folder));
  for (const std::string& name : names) {
    // A name that begins the same but has another length is another worker's.
    if (name == own_name || name.size() != own_name.size() || !absl::StartsWith(name, sender) ||
        !absl::EndsWith(name, kPartSuffix)) {
      continue;
    }
    const std::string path = absl::StrCat(folder, "/", absl::StripSuffix(name, kPartSuffix));
    ENTENTE_RETURN_IF_ERROR(files_.Remove(absl::StrCat(folder, "/", name)));
    space_.Forget(path);
  }
  return absl::OkStatus();
}

void UpdateSpool::Drop(const SpoolKey& key) {
  const std::string path = PathOf(key);
  // Under the lock, for whoever begins to hold the spool may list what is there.
  absl::MutexLock lock(&mu_);
  if (holds_ > 0) return;
  files_.Remove(path).IgnoreError();  // What stays is removed with its round.
  space_.Forget(path);
}

void UpdateSpool::RemoveSoon(const AttemptKey& attempt, Executor* executor) {
  bool is_held = false;
  {
    absl::MutexLock lock(&mu_);
    is_held = holds_ > 0;
  }
  if (!is_held) {
    space_.ForgetFolder(FolderOf(attempt.job, attempt.round_index, attempt.attempt));
  }
  executor->Post([this, attempt] {
    const absl::Status status = Remove(attempt.job, attempt.round_index, attempt.attempt);
    if (!status.ok()) {
      log::Warning("old updates could not be removed", {{"job", attempt.job.value()},
                                                        {"round", attempt.round_index + 1},
                                                        {"reason", status.message()}});
    }
  });
}

absl::Status UpdateSpool::Remove(const JobId& job, uint32_t round_index, uint32_t attempt) {
  ENTENTE_RETURN_IF_ERROR(CheckId("job", job.value()));
  const std::string folder = FolderOf(job, round_index, attempt);
  {
    absl::MutexLock lock(&mu_);
    if (holds_ > 0) {
      put_off_.push_back(folder);
      return absl::OkStatus();
    }
  }
  return RemoveNow(folder);
}

absl::Status UpdateSpool::RemoveNow(const std::string& folder) {
  ENTENTE_RETURN_IF_ERROR(files_.RemoveTree(folder));
  space_.ForgetFolder(folder);
  return absl::OkStatus();
}

void UpdateSpool::BeginHold() {
  absl::MutexLock lock(&mu_);
  ++holds_;
}

void UpdateSpool::EndHold() {
  std::vector<std::string> folders;
  {
    absl::MutexLock lock(&mu_);
    if (--holds_ == 0) folders.swap(put_off_);
  }
  // What stays is removed at the next start.
  for (const std::string& folder : folders) RemoveNow(folder).IgnoreError();
}

SpoolHold::SpoolHold(UpdateSpool* spool) : spool_(*spool) { spool_.BeginHold(); }

SpoolHold::~SpoolHold() { spool_.EndHold(); }

absl::StatusOr<std::vector<std::string>> UpdateSpool::SetAside(const std::vector<JobId>& known) {
  std::set<std::string> names;
  for (const JobId& job : known) names.insert(FileNameOf(job.value()));
  std::vector<std::string> moved;
  const std::string aside = absl::StrCat(folder_, "-unknown");
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> jobs, ListFolders(files_, folder_));
  for (const std::string& job : jobs) {
    if (names.count(job) > 0) continue;
    const std::string folder = absl::StrCat(folder_, "/", job);
    ENTENTE_RETURN_IF_ERROR(files_.CreateFolder(aside));
    // One of that name may lie there from another start with the wrong journal.
    std::string place = absl::StrCat(aside, "/", job);
    for (int i = 2; files_.Exists(place); ++i) place = absl::StrCat(aside, "/", job, ".", i);
    ENTENTE_RETURN_IF_ERROR(files_.Rename(folder, place));
    space_.ForgetFolder(folder);
    moved.push_back(std::move(place));
  }
  return moved;
}

absl::Status UpdateSpool::KeepOnly(const std::vector<AttemptKey>& attempts) {
  std::set<std::string> wanted;
  for (const AttemptKey& attempt : attempts) {
    wanted.insert(FolderOf(attempt.job, attempt.round_index, attempt.attempt));
    wanted.insert(JobFolderOf(attempt.job));
  }
  absl::Status status;
  const auto remove = [this, &status, &wanted](const std::string& folder) {
    if (wanted.count(folder) > 0) return;
    const absl::Status removed = files_.RemoveTree(folder);
    if (removed.ok()) space_.ForgetFolder(folder);
    status.Update(removed);
  };
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> folders, AttemptFolders());
  for (const std::string& folder : folders) remove(folder);
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> jobs, ListFolders(files_, folder_));
  for (const std::string& job : jobs) remove(absl::StrCat(folder_, "/", job));
  return status;
}

}  // namespace entente::updates
