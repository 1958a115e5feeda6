// SPDX-License-Identifier: Apache-2.0
#include "coordinator/models/model_store.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/file_name.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"

namespace entente::models {
namespace {

constexpr size_t kPrefixDigitsMin = 8;
constexpr uint64_t kDigestTextBytes = 2 * Digest::kBytes;

}  // namespace

ModelStore::ModelStore(FileSystem* files, std::string folder)
    : files_(*files), folder_(std::move(folder)) {}

absl::StatusOr<std::unique_ptr<ModelStore>> ModelStore::Create(FileSystem& files,
                                                               std::string folder) {
  ENTENTE_RETURN_IF_ERROR(files.CreateFolder(folder));
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.ListFiles(folder));
  for (const std::string& name : names) {
    if (absl::StartsWith(name, kTemporaryPrefix)) {
      ENTENTE_RETURN_IF_ERROR(files.Remove(absl::StrCat(folder, "/", name)));
    }
  }
  // An earlier run may have been killed between naming a file and syncing the folder.
  ENTENTE_RETURN_IF_ERROR(files.SyncFolder(folder));
  return absl::WrapUnique(new ModelStore(&files, std::move(folder)));
}

bool ModelStore::Contains(const Digest& digest) const { return files_.Exists(PathOf(digest)); }

std::string ModelStore::PathOf(const Digest& digest) const {
  return absl::StrCat(folder_, "/", NameOf(digest));
}

absl::StatusOr<std::unique_ptr<ReadableFile>> ModelStore::OpenForRead(const Digest& digest) const {
  auto file = files_.OpenForRead(PathOf(digest));
  if (absl::IsNotFound(file.status())) {
    return absl::NotFoundError(absl::StrCat("there is no file with digest ", digest.ToHex()));
  }
  return file;
}

absl::StatusOr<std::unique_ptr<SafetensorsReader>> ModelStore::OpenModel(
    const Digest& digest) const {
  auto model = SafetensorsReader::Open(files_, PathOf(digest));
  if (absl::IsNotFound(model.status())) {
    return absl::NotFoundError(absl::StrCat("there is no model with digest ", digest.ToHex()));
  }
  return model;
}

absl::StatusOr<std::unique_ptr<IncomingFile>> ModelStore::Receive(const Digest& digest,
                                                                  uint64_t total_bytes,
                                                                  uint64_t free_bytes_min) {
  const std::string path = PathOf(digest);
  ENTENTE_ASSIGN_OR_RETURN(PathLease lease, leases_.Take(path, digest.ToHex()));
  return IncomingFile::Open(files_, path, total_bytes, free_bytes_min, std::move(lease));
}

absl::StatusOr<ModelStore::Parts> ModelStore::RemoveParts(absl::Time written_before,
                                                          size_t kept_max) {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFiles(folder_));
  std::vector<std::pair<absl::Time, std::string>> found;
  for (const std::string& name : names) {
    if (!absl::EndsWith(name, kPartSuffix)) continue;
    const std::string part = absl::StrCat(folder_, "/", name);
    const auto info = files_.LookAt(part);
    if (!info.ok()) continue;  // It was whole in the meantime.
    found.emplace_back(info->modified_at, std::string(absl::StripSuffix(part, kPartSuffix)));
  }
  std::sort(found.begin(), found.end());
  Parts parts;
  size_t left = found.size();
  for (auto& [written_at, path] : found) {
    const auto lease = leases_.Take(path, path);
    if (!lease.ok()) continue;
    if (written_at >= written_before && left <= kept_max) {
      parts.kept.push_back(std::move(path));
      continue;
    }
    if (absl::Status removed = files_.Remove(absl::StrCat(path, kPartSuffix)); !removed.ok()) {
      log::Warning("a part of a model could not be removed",
                   {{"reason", std::string(removed.message())}});
      parts.kept.push_back(std::move(path));
      continue;
    }
    --left;
    parts.removed.push_back(std::move(path));
  }
  return parts;
}

std::string ModelStore::TemporaryPath(absl::string_view label) const {
  return absl::StrCat(folder_, "/", kTemporaryPrefix, FileNameOf(label));
}

absl::StatusOr<Digest> ModelStore::Adopt(const std::string& temporary_path) {
  ENTENTE_ASSIGN_OR_RETURN(const Digest digest, Sha256OfFile(files_, temporary_path));
  ENTENTE_RETURN_IF_ERROR(AdoptAs(temporary_path, digest));
  return digest;
}

bool ModelStore::IsWhole(const Digest& digest) const {
  if (!Contains(digest)) return false;
  // What is there may not have survived the power.
  const absl::StatusOr<Digest> found = Sha256OfFile(files_, PathOf(digest));
  return found.ok() && *found == digest;
}

absl::Status ModelStore::AdoptAs(const std::string& temporary_path, const Digest& digest) {
  {
    ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                             files_.OpenForWrite(temporary_path));
    ENTENTE_RETURN_IF_ERROR(file->Sync());
  }
  // Another job may have stored the same, and have journalled it: only a name that was given here
  // may be taken away here, and one that is being given is not there yet.
  absl::MutexLock lock(&naming_mu_);
  if (IsWhole(digest)) return files_.Remove(temporary_path);
  if (absl::Status renamed = files_.Rename(temporary_path, PathOf(digest)); !renamed.ok()) {
    // A name that might not survive the power must not be found: it would be taken for stored.
    files_.Remove(PathOf(digest)).IgnoreError();
    return renamed;
  }
  return absl::OkStatus();
}

Digest ModelStore::RoundedOf(const Digest& model) const {
  const auto text = ReadTextFile(files_, RoundedPathOf(model), kDigestTextBytes);
  if (!text.ok()) return Digest();
  const auto rounded = Digest::FromHex(*text);
  return rounded.ok() && Contains(*rounded) ? *rounded : Digest();
}

absl::Status ModelStore::SetRounded(const Digest& model, const Digest& rounded,
                                    absl::string_view label) {
  if (RoundedOf(model) == rounded) return absl::OkStatus();
  const std::string temporary_path = TemporaryPath(label);
  // Once it is renamed this does nothing.
  const absl::Cleanup remove_what_is_left = [&] { files_.Remove(temporary_path).IgnoreError(); };
  {
    ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                             files_.OpenForWrite(temporary_path));
    ENTENTE_RETURN_IF_ERROR(file->WriteAt(0, rounded.ToHex()));
    ENTENTE_RETURN_IF_ERROR(file->Sync());
  }
  return files_.Rename(temporary_path, RoundedPathOf(model));
}

std::string ModelStore::RoundedPathOf(const Digest& model) const {
  return absl::StrCat(PathOf(model), kRoundedSuffix);
}

absl::StatusOr<Digest> ModelStore::Find(absl::string_view prefix) const {
  if (prefix.size() < kPrefixDigitsMin) {
    return absl::InvalidArgumentError(absl::StrCat("\"", absl::CHexEscape(prefix),
                                                   "\" is too short: give at least ",
                                                   kPrefixDigitsMin, " digits of the digest"));
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFiles(folder_));
  std::vector<Digest> found;
  for (const std::string& name : names) {
    if (!absl::StartsWith(name, prefix)) continue;
    // Parts and temporary files are no digests.
    if (const auto digest = Digest::FromHex(name); digest.ok()) found.push_back(*digest);
  }
  const std::string shown = absl::CHexEscape(prefix.substr(0, 80));
  if (found.empty()) {
    return absl::NotFoundError(absl::StrCat("no model's digest starts with \"", shown, "\""));
  }
  if (found.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        found.size(), " models have a digest that starts with \"", shown, "\"; give more digits"));
  }
  return found.front();
}

}  // namespace entente::models
