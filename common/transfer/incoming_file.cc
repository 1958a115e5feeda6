// SPDX-License-Identifier: Apache-2.0
#include "common/transfer/incoming_file.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"

namespace entente {

IncomingFile::IncomingFile(FileSystem* files, const std::string& path, uint64_t total_bytes,
                           PathLease lease)
    : files_(*files),
      path_(path),
      part_path_(absl::StrCat(path, kPartSuffix)),
      total_bytes_(total_bytes),
      lease_(std::move(lease)) {}

absl::StatusOr<std::unique_ptr<IncomingFile>> IncomingFile::Open(FileSystem& files,
                                                                 const std::string& path,
                                                                 uint64_t total_bytes,
                                                                 uint64_t free_bytes_min,
                                                                 PathLease lease) {
  std::unique_ptr<IncomingFile> incoming(
      new IncomingFile(&files, path, total_bytes, std::move(lease)));
  ENTENTE_RETURN_IF_ERROR(incoming->TakeUp());
  ENTENTE_RETURN_IF_ERROR(incoming->CheckFreeBytes(free_bytes_min));
  return incoming;
}

absl::Status IncomingFile::TakeUp() {
  if (!files_.Exists(part_path_)) return absl::OkStatus();
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t part_bytes, files_.SizeBytes(part_path_));
  is_overlong_ = part_bytes > total_bytes_;
  if (!is_overlong_) offset_ = part_bytes;
  return absl::OkStatus();
}

absl::Status IncomingFile::OpenPart() {
  if (file_ != nullptr) return absl::OkStatus();
  if (is_overlong_) ENTENTE_RETURN_IF_ERROR(files_.Remove(part_path_));
  is_overlong_ = false;
  ENTENTE_ASSIGN_OR_RETURN(file_, files_.OpenForWrite(part_path_));
  return absl::OkStatus();
}

absl::Status IncomingFile::HashTheRest() {
  if (hashed_bytes_ == offset_) return absl::OkStatus();
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> part,
                           files_.OpenForRead(part_path_));
  std::string buffer(std::min<uint64_t>(limits::kTransferChunkBytes, offset_ - hashed_bytes_),
                     '\0');
  while (hashed_bytes_ < offset_) {
    const size_t size = std::min<uint64_t>(buffer.size(), offset_ - hashed_bytes_);
    ENTENTE_RETURN_IF_ERROR(part->ReadAt(hashed_bytes_, absl::MakeSpan(buffer.data(), size)));
    // Written again: a sync of them may have failed before whoever came with them could remove the
    // part. They can be read then, and no later sync would bring them to the disk.
    const absl::string_view piece(buffer.data(), size);
    ENTENTE_RETURN_IF_ERROR(file_->WriteAt(hashed_bytes_, piece));
    hash_.Update(piece);
    hashed_bytes_ += size;
  }
  return absl::OkStatus();
}

absl::Status IncomingFile::CheckFreeBytes(uint64_t free_bytes_min) const {
  const std::filesystem::path path(path_);
  const uint64_t to_come = total_bytes_ - offset_;
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t free, files_.FreeBytes(path.parent_path().string()));
  if (to_come == 0 || (free >= to_come && free - to_come >= free_bytes_min)) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(absl::StrCat(
      "no room for ", path.filename().string(), ": ", to_come, " bytes are still to come, ", free,
      " are free on the disk and ", free_bytes_min, " must stay free; free some space"));
}

absl::Status IncomingFile::Append(uint64_t offset, absl::string_view data) {
  if (is_over_) {
    return absl::FailedPreconditionError("the part was dropped; start again from 0");
  }
  if (offset != offset_) {
    return absl::OutOfRangeError(
        absl::StrCat("a chunk for offset ", offset, " came; the next belongs at ", offset_));
  }
  if (data.size() > total_bytes_ - offset_) {
    return absl::OutOfRangeError(absl::StrCat("a chunk of ", data.size(), " bytes at offset ",
                                              offset, " passes the end at ", total_bytes_));
  }
  ENTENTE_RETURN_IF_ERROR(OpenPart());
  ENTENTE_RETURN_IF_ERROR(HashTheRest());
  ENTENTE_RETURN_IF_ERROR(file_->WriteAt(offset, data));
  hash_.Update(data);
  offset_ += data.size();
  hashed_bytes_ = offset_;
  return absl::OkStatus();
}

absl::Status IncomingFile::CheckDigest(const Digest& expected) {
  if (is_over_) {
    return absl::FailedPreconditionError("the part was dropped; start again from 0");
  }
  if (offset_ != total_bytes_) {
    return absl::OutOfRangeError(
        absl::StrCat("only ", offset_, " of ", total_bytes_, " bytes have come; send the rest"));
  }
  ENTENTE_RETURN_IF_ERROR(OpenPart());
  ENTENTE_RETURN_IF_ERROR(HashTheRest());
  if (const Digest actual = hash_.Current(); actual != expected) {
    ENTENTE_RETURN_IF_ERROR(Discard());
    return absl::DataLossError(absl::StrCat("the bytes that came have SHA-256 ", actual.ToHex(),
                                            ", announced was ", expected.ToHex(),
                                            "; send them again from 0"));
  }
  is_checked_ = true;
  return absl::OkStatus();
}

absl::Status IncomingFile::Sync() {
  ENTENTE_CHECK(is_checked_);
  if (absl::Status status = file_->Sync(); !status.ok()) {
    // A second sync may say yes without having written what the first one could not: Linux marks
    // the pages clean (Rebello et al. 2020, "Can Applications Recover from fsync Failures?").
    ENTENTE_RETURN_IF_ERROR(Discard());
    return status;
  }
  is_synced_ = true;
  return absl::OkStatus();
}

absl::Status IncomingFile::Verify(const Digest& expected) {
  ENTENTE_RETURN_IF_ERROR(CheckDigest(expected));
  return Sync();
}

absl::Status IncomingFile::Commit() {
  ENTENTE_CHECK(is_synced_);
  const bool was_there = files_.Exists(path_);
  if (absl::Status renamed = files_.Rename(part_path_, path_); !renamed.ok()) {
    // A name that might not survive the power must not be found: it would be taken for stored.
    if (!was_there) files_.Remove(path_).IgnoreError();
    return renamed;
  }
  file_.reset();
  is_over_ = true;
  return absl::OkStatus();
}

absl::Status IncomingFile::Discard() {
  file_.reset();
  is_over_ = true;
  is_checked_ = false;
  is_synced_ = false;
  return files_.Remove(part_path_);
}

}  // namespace entente
