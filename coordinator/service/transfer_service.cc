// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/transfer_service.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/rpc/status_conversion.h"
#include "common/transfer/chunk_compression.h"
#include "coordinator/engine/transfer_permission.h"
#include "coordinator/engine/transition_log.h"
#include "coordinator/service/call_trace.h"
#include "coordinator/service/idle_cut.h"
#include "coordinator/service/unary_call.h"

namespace entente::service {
namespace {

using members::Action;

std::vector<log::Field> LogFieldsOf(const engine::JobEngine& job, const WorkerId& worker,
                                    uint32_t round_index) {
  std::vector<log::Field> fields = engine::LogFieldsOf(job.description(), round_index);
  fields.emplace_back("worker", worker.value());
  return fields;
}

// Of an upload that was admitted; of a model or a program nothing, for there is no job yet.
std::vector<log::Field> LogFieldsOf(const ServiceContext& context,
                                    const grpc::CallbackServerContext& call,
                                    const v1::UploadHeader& header) {
  if (!header.has_update()) return {};
  const v1::TaskKey& key = header.update().key();
  const auto worker = context.callers->AdmitWorker(call);
  const auto job = context.jobs->Find(JobId(key.job_id()));
  if (!worker.ok() || !job.ok()) return {};
  return LogFieldsOf(**job, worker->id, key.round_index());
}

// Opens the upload that a header announces, for the caller that sent it.
absl::StatusOr<std::unique_ptr<engine::Upload>> OpenUpload(const ServiceContext& context,
                                                           const grpc::CallbackServerContext& call,
                                                           const v1::UploadHeader& header) {
  switch (header.kind_case()) {
    case v1::UploadHeader::kUpdate: {
      const log::Scope scope(LogFieldsOfNamedJob(*context.jobs, header.update().key().job_id()));
      ENTENTE_ASSIGN_OR_RETURN(const auto worker, context.callers->AdmitWorker(call));
      return context.uploads->OpenUpdate(worker.id, header);
    }
    case v1::UploadHeader::kBlob: {
      ENTENTE_RETURN_IF_ERROR(context.callers->Admit(call, Action::kSubmitJob).status());
      return context.uploads->OpenBlob(header);
    }
    case v1::UploadHeader::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("an upload must begin with a header that says what it is");
}

// A place for the call's transfer, out of its caller's share.
absl::StatusOr<TransferSlot> TakeSlot(const ServiceContext& context,
                                      const grpc::CallbackServerContext& call,
                                      TransferSlots* slots) {
  ENTENTE_ASSIGN_OR_RETURN(const PeerIdentity caller, context.callers->Identify(call));
  return slots->Take(caller.SpiffeId());
}

struct DownloadSource {
  std::unique_ptr<ReadableFile> file;
  std::function<void(uint64_t)> count_bytes;
  bool compresses = false;
  std::vector<log::Field> log_fields = {};
};

// Who may have the file, and how its bytes are counted.
absl::StatusOr<DownloadSource> OpenDownload(const ServiceContext& context,
                                            const grpc::CallbackServerContext& call,
                                            const v1::DownloadRequest& request) {
  ENTENTE_ASSIGN_OR_RETURN(const Digest digest, Digest::FromHex(request.digest()));
  DownloadSource source{.file = nullptr, .count_bytes = [](uint64_t) {}};
  if (request.job_id().empty()) {
    ENTENTE_RETURN_IF_ERROR(context.callers->Admit(call, Action::kReadModels).status());
  } else {
    const log::Scope scope(LogFieldsOfNamedJob(*context.jobs, request.job_id()));
    ENTENTE_ASSIGN_OR_RETURN(const auto worker, context.callers->AdmitWorker(call));
    ENTENTE_ASSIGN_OR_RETURN(const auto job, context.jobs->Find(JobId(request.job_id())));
    // A worker gets what its tasks need, and nothing else of the alliance's models.
    ENTENTE_RETURN_IF_ERROR(engine::CheckDownload(*job, worker.id, digest));
    source.compresses = request.reads_zstd() && job->description().recipe.updates().compression() ==
                                                    v1::Updates::COMPRESSION_ZSTD;
    source.log_fields = LogFieldsOf(*job, worker.id, job->View().state->round.round_index);
    source.count_bytes = [workers = context.workers, id = worker.id, job](uint64_t bytes) {
      job->AddBytesDown(bytes);
      workers->AddBytes(id, 0, bytes);
    };
  }
  ENTENTE_ASSIGN_OR_RETURN(source.file, context.models->OpenForRead(digest));
  if (request.offset() > source.file->size_bytes()) {
    return absl::OutOfRangeError(absl::StrCat("offset ", request.offset(), " is past the end of ",
                                              source.file->size_bytes(), " bytes"));
  }
  return source;
}

// Sends one file. Owns itself from construction until OnDone.
class DownloadReactor final : public grpc::ServerWriteReactor<v1::Chunk> {
 public:
  // Context, call and request are the service's and gRPC's until OnDone.
  DownloadReactor(const ServiceContext& context, TransferSlots* slots,
                  grpc::CallbackServerContext* call, const v1::DownloadRequest* request)
      : executor_(context.transfer_executor),
        idle_(context, call, &executor_, "the reader read nothing") {
    absl::StatusOr<TransferSlot> slot = TakeSlot(context, *call, slots);
    if (!slot.ok()) {
      Finish(ToGrpcStatus(slot.status()));
      return;
    }
    slot_ = *std::move(slot);
    executor_.Post([this, &context, call, request] { Open(context, *call, *request); });
  }

  void OnWriteDone(bool ok) override {
    idle_.EndWait();
    executor_.Post([this, ok] { AfterWrite(ok); });
  }

  void OnDone() override {
    idle_.Stop();
    executor_.Post([this] { delete this; });  // After what `idle_` may have posted.
  }

 private:
  void AfterWrite(bool ok) {
    if (!ok) {
      const absl::Status cut = idle_.status();
      return End(cut.ok() ? absl::CancelledError("the reader has gone") : cut);
    }
    source_.count_bytes(chunk_.data().size());
    chunk_.clear_total_bytes();
    WriteNext();
  }

  // On the executor, as WriteNext, for both read the disk. Nothing is in flight meanwhile, so
  // Finish is legal.
  void Open(const ServiceContext& context, const grpc::CallbackServerContext& call,
            const v1::DownloadRequest& request) {
    auto source = OpenDownload(context, call, request);
    if (!source.ok()) return End(source.status());
    source_ = *std::move(source);
    idle_.SetLogFields(std::move(source_.log_fields));
    offset_ = request.offset();
    chunk_.set_total_bytes(source_.file->size_bytes());
    WriteNext();
  }

  void WriteNext() {
    const uint64_t left = source_.file->size_bytes() - offset_;
    if (left == 0) return End(absl::OkStatus());
    std::string& data = *chunk_.mutable_data();
    data.resize(std::min<uint64_t>(left, limits::kTransferChunkBytes));
    const absl::Status status =
        source_.file->ReadAt(offset_, absl::MakeSpan(data.data(), data.size()));
    if (!status.ok()) return End(status);
    chunk_.set_offset(offset_);
    offset_ += data.size();
    chunk_.set_raw_bytes(0);
    const auto raw_bytes = static_cast<uint32_t>(data.size());
    if (source_.compresses && compressor_.Compress(&data)) chunk_.set_raw_bytes(raw_bytes);
    idle_.BeginWait();
    StartWrite(&chunk_);
  }

  // Lets go of everything first: a peer that does not read its status keeps the call as long as it
  // likes.
  void End(const absl::Status& status) {
    source_ = DownloadSource();
    compressor_ = ChunkCompressor();
    v1::Chunk().Swap(&chunk_);
    slot_ = TransferSlot();
    Finish(ToGrpcStatus(status));
  }

  SerialExecutor executor_;
  IdleCut idle_;
  TransferSlot slot_;
  DownloadSource source_;
  uint64_t offset_ = 0;
  ChunkCompressor compressor_;
  v1::Chunk chunk_;
};

// Receives one file: read a message, hand it to the executor, read the next when it is on disk. So
// one message is in memory at a time, and a slow disk slows the sender down. Owns itself until
// OnDone.
class UploadReactor final : public grpc::ServerReadReactor<v1::UploadMessage> {
 public:
  UploadReactor(const ServiceContext& context, TransferSlots* slots,
                grpc::CallbackServerContext* call, v1::UploadReceipt* receipt)
      : context_(context),
        call_(*call),
        receipt_(receipt),
        executor_(context.transfer_executor),
        header_wait_(context, call, &executor_, "the sender sent no header",
                     std::min(context.upload_header_wait_max, context.transfer_idle_max),
                     "; an upload begins with one"),
        idle_(context, call, &executor_, "the sender sent nothing") {
    absl::StatusOr<TransferSlot> slot = TakeSlot(context, *call, slots);
    if (!slot.ok()) {
      Finish(ToGrpcStatus(slot.status()));
      return;
    }
    slot_ = *std::move(slot);
    header_wait_.BeginWait();
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    header_wait_.EndWait();
    idle_.EndWait();
    if (ok) {
      executor_.Post([this] { Take(); });
    } else {
      executor_.Post([this] { Seal(); });
    }
  }

  void OnDone() override {
    header_wait_.Stop();
    idle_.Stop();
    executor_.Post([this] { delete this; });  // After what those may have posted.
  }

 private:
  void ReadNext() {
    idle_.BeginWait();
    StartRead(&message_);
  }

  void Take() {
    if (absl::Status status = TakeMessage(); !status.ok()) {
      End(status);  // No read is outstanding.
      return;
    }
    ReadNext();
  }

  // The file is let go before the peer knows, so that it can go on at once.
  void End(const absl::Status& status) {
    if (context_.on_upload_ended != nullptr && began_at_ != absl::InfinitePast()) {
      context_.on_upload_ended(context_.steady_clock->Now() - began_at_, status);
    }
    upload_.reset();
    decompressor_ = ChunkDecompressor();
    v1::UploadMessage().Swap(&message_);  // As in a download: the call may stay for long.
    slot_ = TransferSlot();
    Finish(ToGrpcStatus(status));
  }

  absl::Status TakeMessage() {
    if (upload_ == nullptr) {
      if (!message_.has_header()) {
        return absl::InvalidArgumentError("an upload must begin with a header");
      }
      header_ = message_.header();
      began_at_ = context_.steady_clock->Now();
      ENTENTE_ASSIGN_OR_RETURN(upload_, OpenUpload(context_, call_, header_));
      idle_.SetLogFields(LogFieldsOf(context_, call_, header_));
      sent_bytes_ = upload_->offset();  // How those came is not known any more.
      return absl::OkStatus();
    }
    if (!message_.has_chunk()) {
      return absl::InvalidArgumentError("after its header an upload holds nothing but chunks");
    }
    if (message_.chunk().data().size() > limits::kTransferChunkBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat("a chunk has at most ",
                                                     limits::kTransferChunkBytesMax, " bytes, not ",
                                                     message_.chunk().data().size()));
    }
    absl::string_view data = message_.chunk().data();
    sent_bytes_ += data.size();
    if (message_.chunk().raw_bytes() > 0) {
      const uint64_t total = header_.total_bytes();
      ENTENTE_ASSIGN_OR_RETURN(
          data, decompressor_.Decompress(data, message_.chunk().raw_bytes(),
                                         total - std::min(total, message_.chunk().offset())));
    }
    if (data.empty()) {  // It would hold the transfer's place without bringing anything.
      return absl::InvalidArgumentError("a chunk has at least one byte");
    }
    return upload_->Append(message_.chunk().offset(), data);
  }

  // The peer has sent everything, or is gone.
  void Seal() {
    for (const IdleCut* cut : {&header_wait_, &idle_}) {
      if (!cut->status().ok()) return End(cut->status());
    }
    if (upload_ == nullptr) return End(absl::InvalidArgumentError("the upload was empty"));
    if (call_.IsCancelled()) {  // What has come stays, for the upload to continue.
      return End(absl::CancelledError("the sender has gone"));
    }
    upload_->SetSentBytes(sent_bytes_);
    upload_->Seal([this](const absl::Status& status) {
      if (status.ok()) {
        receipt_->set_digest(header_.digest());
        receipt_->set_total_bytes(header_.total_bytes());
        if (header_.has_update() && !upload_->already_stored()) CountBytes();
      }
      executor_.Post([this, status] { End(status); });  // Not from within the upload.
    });
  }

  void CountBytes() {
    const auto worker = context_.callers->AdmitWorker(call_);
    if (!worker.ok()) return;
    context_.workers->AddBytes(worker->id, sent_bytes_, 0);
    context_.workers->SetActivity(worker->id, "");
  }

  const ServiceContext& context_;
  const grpc::CallbackServerContext& call_;  // Both are gRPC's and the service's until OnDone.
  v1::UploadReceipt* const receipt_;
  SerialExecutor executor_;
  IdleCut header_wait_;  // Before the first message;
  IdleCut idle_;         // before the others.
  TransferSlot slot_;
  std::unique_ptr<engine::Upload> upload_;
  v1::UploadHeader header_;
  absl::Time began_at_ = absl::InfinitePast();  // Its header came.
  uint64_t sent_bytes_ = 0;                     // By the peer, as they travelled.
  ChunkDecompressor decompressor_;
  v1::UploadMessage message_;
};

}  // namespace

grpc::ServerWriteReactor<v1::Chunk>* TransferService::Download(grpc::CallbackServerContext* call,
                                                               const v1::DownloadRequest* request) {
  return new DownloadReactor(context_, &slots_, call, request);
}

grpc::ServerUnaryReactor* TransferService::GetUploadOffset(grpc::CallbackServerContext* call,
                                                           const v1::UploadHeader* request,
                                                           v1::UploadOffset* response) {
  // A question takes a place as the transfer would: it opens the same files, and any number of them
  // could be asked at once.
  absl::StatusOr<TransferSlot> slot = TakeSlot(context_, *call, &slots_);
  if (!slot.ok()) {
    grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
    reactor->Finish(ToGrpcStatus(slot.status()));
    return reactor;
  }
  // Shared, for a task can be copied.
  const auto held = std::make_shared<TransferSlot>(*std::move(slot));
  return RunUnary(
      call, *context_.executor, [this, call, request, response, held]() -> absl::Status {
        const TransferSlot until_answered = std::move(*held);
        ENTENTE_ASSIGN_OR_RETURN(const auto upload, OpenUpload(context_, *call, *request));
        response->set_offset(upload->offset());
        return absl::OkStatus();
      });
}

grpc::ServerReadReactor<v1::UploadMessage>* TransferService::Upload(
    grpc::CallbackServerContext* call, v1::UploadReceipt* response) {
  return new UploadReactor(context_, &slots_, call, response);
}

}  // namespace entente::service
