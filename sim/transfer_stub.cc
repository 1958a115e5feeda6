// SPDX-License-Identifier: Apache-2.0
#include "sim/transfer_stub.h"

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "common/base/check.h"
#include "common/rpc/status_conversion.h"

namespace entente::sim {
namespace {

// Wakes the thread when the token is cancelled.
struct WakeOnCancel {
  WakeOnCancel(const worker::CancelToken& token, BlockingThread* thread)
      : registration(token.OnCancel([thread] { thread->Wake(); })) {}
  const worker::CancelToken::Registration registration;
};

// One call from the worker's end. On the worker's thread, but for what the network says.
class BlockingCall {
 public:
  BlockingCall(TransferContext* context, const std::string& method)
      : context_(*context), stream_(context_.network->Connect(context_.machine, method)) {
    stream_->Listen({.on_message =
                         [this](std::string message) {
                           messages_.push_back(std::move(message));
                           context_.thread->Wake();
                         },
                     .on_end =
                         [this](const absl::Status& status) {
                           end_ = status;
                           context_.thread->Wake();
                         }});
    if (context_.cancel != nullptr) {
      wake_ = std::make_unique<WakeOnCancel>(*context_.cancel, context_.thread);
    }
  }

  // False once the coordinator does not listen any more.
  bool Send(std::string message) {
    if (IsBroken() || !context_.process->alive()) return false;
    stream_->Send(std::move(message));
    return true;
  }
  void EndSending() {
    if (context_.process->alive()) stream_->End(absl::OkStatus());
  }

  // The next message; none at the end.
  std::optional<std::string> Read() {
    context_.thread->WaitUntil(absl::InfiniteFuture(),
                               [this] { return !messages_.empty() || IsBroken(); });
    if (messages_.empty() || IsCancelled()) return std::nullopt;
    std::string message = std::move(messages_.front());
    messages_.pop_front();
    return message;
  }

  absl::Status Finish() {
    context_.thread->WaitUntil(absl::InfiniteFuture(), [this] { return IsBroken(); });
    // Not a status that is tried again: the process is dead, and is to come to its end.
    if (context_.thread->finishing()) return absl::FailedPreconditionError("the process is dead");
    if (end_.has_value() && !IsCancelled()) return *end_;
    return absl::CancelledError("the call was cancelled");
  }

 private:
  bool IsCancelled() const {
    return context_.thread->finishing() ||
           (context_.cancel != nullptr && context_.cancel->cancelled());
  }
  bool IsBroken() const { return end_.has_value() || IsCancelled(); }

  TransferContext& context_;
  std::deque<std::string> messages_;
  std::optional<absl::Status> end_;
  std::unique_ptr<Stream> stream_;      // After what it tells of.
  std::unique_ptr<WakeOnCancel> wake_;  // Null: nothing cancels the call.
};

class Writer final : public grpc::ClientWriterInterface<v1::UploadMessage> {
 public:
  Writer(TransferContext* context, v1::UploadReceipt* receipt)
      : call_(context, "Upload"), receipt_(*receipt) {}

  bool Write(const v1::UploadMessage& message, grpc::WriteOptions) override {
    return call_.Send(message.SerializeAsString());
  }
  bool WritesDone() override {
    call_.EndSending();
    return true;
  }
  grpc::Status Finish() override {
    const absl::Status status = call_.Finish();
    if (!status.ok()) return ToGrpcStatus(status);
    const std::optional<std::string> receipt = call_.Read();
    const bool is_whole = receipt.has_value() && receipt_.ParseFromString(*receipt);
    return is_whole ? grpc::Status::OK : grpc::Status(grpc::StatusCode::INTERNAL, "no receipt");
  }

 private:
  BlockingCall call_;
  v1::UploadReceipt& receipt_;
};

class Reader final : public grpc::ClientReaderInterface<v1::Chunk> {
 public:
  Reader(TransferContext* context, const v1::DownloadRequest& request)
      : call_(context, "Download") {
    call_.Send(request.SerializeAsString());
  }

  void WaitForInitialMetadata() override {}
  bool NextMessageSize(uint32_t*) override { return false; }
  bool Read(v1::Chunk* chunk) override {
    const std::optional<std::string> message = call_.Read();
    return message.has_value() && chunk->ParseFromString(*message);
  }
  grpc::Status Finish() override { return ToGrpcStatus(call_.Finish()); }

 private:
  BlockingCall call_;
};

// Nobody here calls without waiting.
class TransferStub final : public v1::TransferService::StubInterface {
 public:
  explicit TransferStub(TransferContext* context) : context_(*context) {}

  grpc::Status GetUploadOffset(grpc::ClientContext*, const v1::UploadHeader& request,
                               v1::UploadOffset* response) override {
    BlockingCall call(&context_, "GetUploadOffset");
    call.Send(request.SerializeAsString());
    const absl::Status status = call.Finish();
    if (!status.ok()) return ToGrpcStatus(status);
    const std::optional<std::string> answer = call.Read();
    const bool is_whole = answer.has_value() && response->ParseFromString(*answer);
    return is_whole ? grpc::Status::OK : grpc::Status(grpc::StatusCode::INTERNAL, "no offset");
  }

 private:
  grpc::ClientReaderInterface<v1::Chunk>* DownloadRaw(grpc::ClientContext*,
                                                      const v1::DownloadRequest& r) override {
    return new Reader(&context_, r);
  }
  grpc::ClientWriterInterface<v1::UploadMessage>* UploadRaw(grpc::ClientContext*,
                                                            v1::UploadReceipt* r) override {
    return new Writer(&context_, r);
  }
  grpc::ClientAsyncReaderInterface<v1::Chunk>* AsyncDownloadRaw(grpc::ClientContext*,
                                                                const v1::DownloadRequest&,
                                                                grpc::CompletionQueue*,
                                                                void*) override {
    ENTENTE_CHECK(false);
  }
  grpc::ClientAsyncReaderInterface<v1::Chunk>* PrepareAsyncDownloadRaw(
      grpc::ClientContext*, const v1::DownloadRequest&, grpc::CompletionQueue*) override {
    ENTENTE_CHECK(false);
  }
  grpc::ClientAsyncResponseReaderInterface<v1::UploadOffset>* AsyncGetUploadOffsetRaw(
      grpc::ClientContext*, const v1::UploadHeader&, grpc::CompletionQueue*) override {
    ENTENTE_CHECK(false);
  }
  grpc::ClientAsyncResponseReaderInterface<v1::UploadOffset>* PrepareAsyncGetUploadOffsetRaw(
      grpc::ClientContext*, const v1::UploadHeader&, grpc::CompletionQueue*) override {
    ENTENTE_CHECK(false);
  }
  grpc::ClientAsyncWriterInterface<v1::UploadMessage>* AsyncUploadRaw(grpc::ClientContext*,
                                                                      v1::UploadReceipt*,
                                                                      grpc::CompletionQueue*,
                                                                      void*) override {
    ENTENTE_CHECK(false);
  }
  grpc::ClientAsyncWriterInterface<v1::UploadMessage>* PrepareAsyncUploadRaw(
      grpc::ClientContext*, v1::UploadReceipt*, grpc::CompletionQueue*) override {
    ENTENTE_CHECK(false);
  }

  TransferContext& context_;
};

}  // namespace

std::unique_ptr<v1::TransferService::StubInterface> MakeTransferStub(TransferContext* context) {
  return std::make_unique<TransferStub>(context);
}

absl::StatusOr<worker::ModelCache::Lease> CancellableTransfers::Download(
    const Digest& digest, const std::string& job_id, const TraceContext& trace,
    const ByteProgress& progress, const worker::CancelToken& cancel) {
  context_.cancel = &cancel;
  const absl::Cleanup forget = [this] { context_.cancel = nullptr; };
  return real_.Download(digest, job_id, trace, progress, cancel);
}

absl::Status CancellableTransfers::Upload(const v1::UploadHeader& header, const std::string& path,
                                          bool compresses, const TraceContext& trace,
                                          const ByteProgress& progress,
                                          const worker::CancelToken& cancel) {
  context_.cancel = &cancel;
  const absl::Cleanup forget = [this] { context_.cancel = nullptr; };
  return real_.Upload(header, path, compresses, trace, progress, cancel);
}

}  // namespace entente::sim
