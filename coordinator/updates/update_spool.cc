// SPDX-License-Identifier: Apache-2.0
#include "coordinator/updates/update_spool.h"

#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"

namespace entente::updates {
namespace {

constexpr size_t kIdBytesMax = 128;

bool IsPlain(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}

// One part of a path that cannot be two, nor "..".
std::string Escaped(absl::string_view id) {
  std::string name;
  for (const char c : id) {
    if (IsPlain(c)) {
      name.push_back(c);
    } else {
      absl::StrAppendFormat(&name, "%%%02x", static_cast<unsigned char>(c));
    }
  }
  return name;
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

std::vector<std::filesystem::path> SubfoldersOf(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (it->is_directory(error)) found.push_back(it->path());
  }
  return found;
}

absl::Status RemoveFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot remove ", folder.string(), ": ", error.message()));
}

}  // namespace

UpdateSpool::UpdateSpool(FileSystem* files, std::string folder)
    : files_(*files), folder_(std::move(folder)) {}

absl::StatusOr<std::unique_ptr<UpdateSpool>> UpdateSpool::Create(FileSystem& files,
                                                                 std::string folder) {
  ENTENTE_RETURN_IF_ERROR(files.CreateFolder(folder));
  return absl::WrapUnique(new UpdateSpool(&files, std::move(folder)));
}

std::string UpdateSpool::FolderOf(const JobId& job, uint32_t round_index, uint32_t attempt) const {
  return absl::StrCat(folder_, "/", Escaped(job.value()), "/", round_index, "-", attempt);
}

std::string UpdateSpool::PathOf(const SpoolKey& key) const {
  // A '+' is in no id, so two workers never share a name.
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(key.worker.value(), absl::MaxSplits('/', 1));
  return absl::StrCat(FolderOf(key.job, key.round_index, key.attempt), "/", Escaped(parts.first),
                      "+", Escaped(parts.second), "-", key.digest.ToHex());
}

absl::StatusOr<std::unique_ptr<IncomingFile>> UpdateSpool::Receive(const SpoolKey& key,
                                                                   uint64_t total_bytes,
                                                                   uint64_t free_bytes_min) {
  ENTENTE_RETURN_IF_ERROR(CheckKey(key));
  const std::string path = PathOf(key);
  ENTENTE_ASSIGN_OR_RETURN(PathLease lease,
                           leases_.Take(path, absl::StrCat("the update of ", key.worker.value())));
  ENTENTE_RETURN_IF_ERROR(files_.CreateFolder(FolderOf(key.job, key.round_index, key.attempt)));
  return IncomingFile::Open(files_, path, total_bytes, free_bytes_min, std::move(lease));
}

absl::Status UpdateSpool::Remove(const JobId& job, uint32_t round_index, uint32_t attempt) {
  ENTENTE_RETURN_IF_ERROR(CheckId("job", job.value()));
  return RemoveFolder(FolderOf(job, round_index, attempt));
}

absl::Status UpdateSpool::KeepOnly(const std::vector<AttemptKey>& attempts) {
  std::set<std::filesystem::path> wanted;
  for (const AttemptKey& attempt : attempts) {
    const std::filesystem::path folder =
        FolderOf(attempt.job, attempt.round_index, attempt.attempt);
    wanted.insert({folder, folder.parent_path()});
  }
  absl::Status status;
  for (const std::filesystem::path& job : SubfoldersOf(folder_)) {
    if (wanted.count(job) == 0) {
      status.Update(RemoveFolder(job));
      continue;
    }
    for (const std::filesystem::path& attempt : SubfoldersOf(job)) {
      if (wanted.count(attempt) == 0) status.Update(RemoveFolder(attempt));
    }
  }
  return status;
}

}  // namespace entente::updates
