// SPDX-License-Identifier: Apache-2.0
#include "worker/session/download.h"

#include <algorithm>
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
  request.set_reads_zstd(true);
  grpc::ClientContext context;
  context.AddMetadata("traceparent", target_.trace.ToTraceparent());
  const CancelToken::Registration registration =
      cancel.OnCancel([&context] { context.TryCancel(); });
  const std::unique_ptr<grpc::ClientReaderInterface<v1::Chunk>> reader =
      stub_.Download(&context, request);
  stands_further_ = false;
  bad_chunk_ = absl::OkStatus();
  const bool at_its_end = ReadChunks(reader.get(), progress, cancel, made_progress);
  if (!at_its_end) context.TryCancel();
  const absl::Status status = FromGrpcStatus(reader->Finish());
  ENTENTE_RETURN_IF_ERROR(local_failure_);
  const bool is_whole = file_ != nullptr && file_->offset() == file_->total_bytes();
  if (is_whole) return absl::OkStatus();
  if (stands_further_) return FetchOnce(progress, cancel, made_progress);
  ENTENTE_RETURN_IF_ERROR(bad_chunk_);
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
    absl::string_view data = chunk.data();
    if (chunk.raw_bytes() > 0) {
      const uint64_t total = file_ == nullptr ? chunk.total_bytes() : file_->total_bytes();
      const auto raw = decompressor_.Decompress(data, chunk.raw_bytes(),
                                                total - std::min(total, chunk.offset()));
      if (!raw.ok()) {
        bad_chunk_ = absl::DataLossError(
            absl::StrCat("the coordinator sent a bad chunk: ", raw.status().message()));
        return false;
      }
      data = *raw;
    }
    if (file_ == nullptr) {
      absl::StatusOr<std::unique_ptr<IncomingFile>> file =
          cache_.BeginDownload(target_.digest, chunk.total_bytes());
      if (!file.ok()) {
        local_failure_ = file.status();
        return false;
      }
      file_ = *std::move(file);
      // An earlier run of this worker has a part already: it is asked for from there.
      stands_further_ = file_->offset() > chunk.offset() + data.size();
      if (stands_further_ || file_->offset() == file_->total_bytes()) return false;
    }
    // What is here already is not written twice.
    const uint64_t chunk_end = chunk.offset() + data.size();
    if (chunk_end >= chunk.offset() && chunk_end <= file_->offset()) continue;
    const absl::Status taken = TakeData(chunk.offset(), data);
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

absl::Status Download::TakeData(uint64_t offset, absl::string_view data) {
  if (offset >= file_->offset()) return file_->Append(offset, data);
  const uint64_t known = file_->offset() - offset;
  return file_->Append(file_->offset(), data.substr(known));
}

}  // namespace entente::worker
