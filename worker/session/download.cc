// SPDX-License-Identifier: Apache-2.0
#include "worker/session/download.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/rpc/status_conversion.h"
#include "worker/session/transfer_retry.h"

namespace entente::worker {
namespace {

constexpr int kWrongDigestsMax = 3;

}  // namespace

Download::Download(v1::TransferService::StubInterface* stub, ModelCache* cache,
                   RandomSource* random, TokenBucket* pace, Target target)
    : stub_(*stub), cache_(*cache), random_(*random), pace_(*pace), target_(std::move(target)) {}

absl::StatusOr<ModelCache::Lease> Download::Run(const Transfers::ByteProgress& progress,
                                                const CancelToken& cancel) {
  if (std::optional<ModelCache::Lease> cached = cache_.Find(target_.digest)) {
    return *std::move(cached);
  }
  absl::Status last;
  for (int i = 0; i < kWrongDigestsMax; ++i) {
    const absl::Status fetched =
        RetryTransfer(absl::StrCat("download ", target_.digest.ToHex()), &random_, cancel,
                      [&](bool* made_progress) {
                        const absl::Status status = FetchOnce(progress, cancel, made_progress);
                        return local_failure_.ok() ? status : absl::OkStatus();
                      });
    ENTENTE_RETURN_IF_ERROR(local_failure_);
    ENTENTE_RETURN_IF_ERROR(fetched);
    absl::StatusOr<ModelCache::Lease> lease =
        cache_.FinishDownload(target_.digest, std::move(file_));
    if (lease.ok() || !absl::IsDataLoss(lease.status())) return lease;
    last = lease.status();
    log::Warning("a download has another digest; fetching it again", {{"reason", last.message()}});
  }
  return last;
}

absl::Status Download::FetchOnce(const Transfers::ByteProgress& progress, const CancelToken& cancel,
                                 bool* made_progress) {
  if (file_ != nullptr && file_->offset() == file_->total_bytes()) return absl::OkStatus();
  v1::DownloadRequest request;
  request.set_digest(target_.digest.ToHex());
  request.set_job_id(target_.job_id);
  request.set_offset(file_ == nullptr ? 0 : file_->offset());
  grpc::ClientContext context;
  const CancelToken::Registration registration =
      cancel.OnCancel([&context] { context.TryCancel(); });
  const std::unique_ptr<grpc::ClientReaderInterface<v1::Chunk>> reader =
      stub_.Download(&context, request);
  stands_further_ = false;
  const bool at_its_end = ReadChunks(reader.get(), progress, cancel, made_progress);
  if (!at_its_end) context.TryCancel();
  const absl::Status status = FromGrpcStatus(reader->Finish());
  ENTENTE_RETURN_IF_ERROR(local_failure_);
  const bool is_whole = file_ != nullptr && file_->offset() == file_->total_bytes();
  if (is_whole) return absl::OkStatus();
  if (stands_further_) return FetchOnce(progress, cancel, made_progress);
  if (!at_its_end) return absl::AbortedError("the coordinator sent chunks out of order");
  ENTENTE_RETURN_IF_ERROR(status);
  return absl::UnavailableError("the coordinator ended the download early");
}

bool Download::ReadChunks(grpc::ClientReaderInterface<v1::Chunk>* reader,
                          const Transfers::ByteProgress& progress, const CancelToken& cancel,
                          bool* made_progress) {
  v1::Chunk chunk;
  while (reader->Read(&chunk)) {
    pace_.WaitFor(chunk.data().size(), cancel);
    if (file_ == nullptr) {
      absl::StatusOr<std::unique_ptr<IncomingFile>> file =
          cache_.BeginDownload(target_.digest, chunk.total_bytes());
      if (!file.ok()) {
        local_failure_ = file.status();
        return false;
      }
      file_ = *std::move(file);
      // An earlier run of this worker has a part already: it is asked for from there.
      stands_further_ = file_->offset() > chunk.offset() + chunk.data().size();
      if (stands_further_ || file_->offset() == file_->total_bytes()) return false;
    }
    // What is here already is not written twice.
    const uint64_t chunk_end = chunk.offset() + chunk.data().size();
    if (chunk_end >= chunk.offset() && chunk_end <= file_->offset()) continue;
    const absl::Status taken = TakeChunk(chunk);
    if (absl::IsOutOfRange(taken)) return false;
    if (!taken.ok()) {
      local_failure_ = taken;
      return false;
    }
    *made_progress = true;
    progress(file_->offset(), file_->total_bytes());
  }
  return true;
}

absl::Status Download::TakeChunk(const v1::Chunk& chunk) {
  if (chunk.offset() >= file_->offset()) return file_->Append(chunk.offset(), chunk.data());
  const uint64_t known = file_->offset() - chunk.offset();
  return file_->Append(file_->offset(), absl::string_view(chunk.data()).substr(known));
}

}  // namespace entente::worker
