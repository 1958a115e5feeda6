// SPDX-License-Identifier: Apache-2.0
#include "worker/session/upload.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/rpc/status_conversion.h"
#include "worker/session/transfer_retry.h"

namespace entente::worker {

Upload::Upload(v1::TransferService::StubInterface* stub, RandomSource* random, TokenBucket* pace,
               v1::UploadHeader header, std::unique_ptr<ReadableFile> file, Options options)
    : stub_(*stub),
      random_(*random),
      pace_(*pace),
      header_(std::move(header)),
      file_(std::move(file)),
      options_(std::move(options)) {}

absl::Status Upload::Run(const Transfers::ByteProgress& progress, const CancelToken& cancel) {
  const absl::Status sent = RetryTransfer(
      absl::StrCat("upload ", header_.digest()), &random_, cancel,
      [&](bool* made_progress) {
        const absl::Status status = SendOnce(progress, cancel, made_progress);
        return local_failure_.ok() ? status : absl::OkStatus();
      },
      &MayHelpToSendAgain);
  if (!local_failure_.ok()) {
    return absl::InternalError(
        absl::StrCat("cannot read the update to send: ", local_failure_.message()));
  }
  return sent;
}

absl::Status Upload::SendOnce(const Transfers::ByteProgress& progress, const CancelToken& cancel,
                              bool* made_progress) {
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t offset, AskOffset(cancel));
  if (offset > header_.total_bytes()) {
    return absl::OutOfRangeError("the coordinator says it has more bytes than there are");
  }
  grpc::ClientContext context;
  context.AddMetadata("traceparent", options_.trace.ToTraceparent());
  const CancelToken::Registration registration =
      cancel.OnCancel([&context] { context.TryCancel(); });
  v1::UploadReceipt receipt;
  const std::unique_ptr<grpc::ClientWriterInterface<v1::UploadMessage>> writer =
      stub_.Upload(&context, &receipt);
  const absl::Status sent = SendFrom(offset, writer.get(), progress, cancel, made_progress);
  if (!sent.ok()) {
    local_failure_ = sent;
    context.TryCancel();
  }
  const absl::Status status = FromGrpcStatus(writer->Finish());
  ENTENTE_RETURN_IF_ERROR(local_failure_);
  ENTENTE_RETURN_IF_ERROR(status);
  if (receipt.digest() != header_.digest() || receipt.total_bytes() != header_.total_bytes()) {
    return absl::DataLossError("the coordinator's receipt names another file than was sent");
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Upload::AskOffset(const CancelToken& cancel) {
  grpc::ClientContext context;
  context.AddMetadata("traceparent", options_.trace.ToTraceparent());
  const CancelToken::Registration registration =
      cancel.OnCancel([&context] { context.TryCancel(); });
  v1::UploadOffset offset;
  ENTENTE_RETURN_IF_ERROR(FromGrpcStatus(stub_.GetUploadOffset(&context, header_, &offset)));
  return offset.offset();
}

absl::Status Upload::SendFrom(uint64_t offset,
                              grpc::ClientWriterInterface<v1::UploadMessage>* writer,
                              const Transfers::ByteProgress& progress, const CancelToken& cancel,
                              bool* made_progress) {
  v1::UploadMessage message;
  *message.mutable_header() = header_;
  if (!writer->Write(message)) return absl::OkStatus();
  while (offset < header_.total_bytes()) {
    const uint64_t size =
        std::min(pace_.StepBytes(limits::kTransferChunkBytes), header_.total_bytes() - offset);
    v1::Chunk& chunk = *message.mutable_chunk();
    chunk.set_offset(offset);
    chunk.mutable_data()->resize(size);
    ENTENTE_RETURN_IF_ERROR(file_->ReadAt(offset, absl::MakeSpan(*chunk.mutable_data())));
    const bool is_smaller = options_.compresses && compressor_.Compress(chunk.mutable_data());
    chunk.set_raw_bytes(is_smaller ? static_cast<uint32_t>(size) : 0);
    pace_.WaitFor(chunk.data().size(), cancel);
    if (!writer->Write(message)) return absl::OkStatus();
    offset += size;
    *made_progress = true;
    progress(offset, header_.total_bytes());
  }
  writer->WritesDone();
  return absl::OkStatus();
}

}  // namespace entente::worker
