// SPDX-License-Identifier: Apache-2.0
#include "sim/calls.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "coordinator/engine/transfer_permission.h"
#include "sim/control_call.h"

namespace entente::sim {
namespace {

// A call that is cut when its peer keeps it waiting for too long: see coordinator/service/idle_cut.
class TransferCall : public Call, public std::enable_shared_from_this<TransferCall> {
 public:
  TransferCall(const CallContext& context, int machine, WorkerId worker,
               std::unique_ptr<Stream> stream, std::function<void()> on_over)
      : context_(context),
        machine_(machine),
        worker_(std::move(worker)),
        stream_(std::move(stream)),
        on_over_(std::move(on_over)) {}

  void Start() {
    stream_->Listen({.on_message =
                         [this](std::string message) {
                           const auto self = shared_from_this();
                           if (is_over_ || !context_.process->alive()) return;
                           ++heard_;
                           OnMessage(std::move(message));
                           if (!is_over_) WatchIdleness();
                         },
                     .on_end =
                         [this](const absl::Status& status) {
                           const auto self = shared_from_this();
                           if (is_over_ || !context_.process->alive()) return;
                           ++heard_;
                           OnEnd(status);
                         }});
    WatchIdleness();
  }

 protected:
  virtual void OnMessage(std::string message) = 0;
  virtual void OnEnd(const absl::Status& status) = 0;

  void Send(std::string message) {
    if (context_.process->alive()) stream_->Send(std::move(message));
  }

  void Finish(const absl::Status& status) {
    if (std::exchange(is_over_, true) || !context_.process->alive()) return;
    if (context_.trace->kept() && !status.ok()) {
      context_.trace->Arrow(0, machine_, absl::StrCat("transfer ended: ", status.ToString()));
    }
    stream_->End(status);
    on_over_();
  }

  const service::ServiceContext& service() const { return *context_.service; }

  const CallContext context_;
  const int machine_;
  const WorkerId worker_;
  const std::unique_ptr<Stream> stream_;
  bool waits_for_peer_ = true;

 private:
  void WatchIdleness() {
    context_.process->PostAfter(service().transfer_idle_max,
                                [weak = weak_from_this(), heard = heard_] {
                                  const auto self = weak.lock();
                                  if (self == nullptr || self->heard_ != heard) return;
                                  if (!self->waits_for_peer_) return;
                                  self->Finish(absl::DeadlineExceededError("the peer is idle"));
                                });
  }

  const std::function<void()> on_over_;
  uint64_t heard_ = 0;
  bool is_over_ = false;
};

class UploadCall final : public TransferCall {
 public:
  using TransferCall::TransferCall;

 private:
  void OnMessage(std::string text) override {
    v1::UploadMessage message;
    if (!message.ParseFromString(text)) return Finish(absl::InvalidArgumentError("not a message"));
    const absl::Status status = Take(message);
    if (!status.ok()) Finish(status);
  }

  absl::Status Take(const v1::UploadMessage& message) {
    if (upload_ == nullptr) {
      ENTENTE_ASSIGN_OR_RETURN(upload_, service().uploads->OpenUpdate(worker_, message.header()));
      header_ = message.header();
      return absl::OkStatus();
    }
    return upload_->Append(message.chunk().offset(), message.chunk().data());
  }

  void OnEnd(const absl::Status& status) override {
    if (is_sealing_) return;  // The peer has gone; the update comes in all the same.
    if (!status.ok() || upload_ == nullptr) return Finish(absl::CancelledError("the sender left"));
    is_sealing_ = true;
    waits_for_peer_ = false;
    upload_->Seal([self = shared_from_this(), this](const absl::Status& sealed) {
      if (sealed.ok()) {
        if (context_.trace->kept() && context_.process->alive()) {
          context_.trace->Arrow(0, machine_, "receipt");
        }
        v1::UploadReceipt receipt;
        receipt.set_digest(header_.digest());
        receipt.set_total_bytes(header_.total_bytes());
        Send(receipt.SerializeAsString());
      }
      context_.process->Post([self, this, sealed] { Finish(sealed); });  // Not from within.
    });
  }

  std::unique_ptr<engine::Upload> upload_;
  v1::UploadHeader header_;
  bool is_sealing_ = false;
};

class OffsetCall final : public TransferCall {
 public:
  using TransferCall::TransferCall;

 private:
  void OnMessage(std::string text) override { Finish(Answer(text)); }
  void OnEnd(const absl::Status&) override { Finish(absl::CancelledError("the caller left")); }

  absl::Status Answer(const std::string& text) {
    v1::UploadHeader header;
    if (!header.ParseFromString(text)) return absl::InvalidArgumentError("not a message");
    ENTENTE_ASSIGN_OR_RETURN(const auto upload, service().uploads->OpenUpdate(worker_, header));
    v1::UploadOffset offset;
    offset.set_offset(upload->offset());
    Send(offset.SerializeAsString());
    return absl::OkStatus();
  }
};

class DownloadCall final : public TransferCall {
 public:
  using TransferCall::TransferCall;

 private:
  void OnMessage(std::string text) override { Finish(SendAll(text)); }
  void OnEnd(const absl::Status&) override { Finish(absl::CancelledError("the reader left")); }

  absl::Status SendAll(const std::string& text) {
    v1::DownloadRequest request;
    if (!request.ParseFromString(text)) return absl::InvalidArgumentError("not a message");
    ENTENTE_ASSIGN_OR_RETURN(const Digest digest, Digest::FromHex(request.digest()));
    ENTENTE_ASSIGN_OR_RETURN(const auto job, service().jobs->Find(JobId(request.job_id())));
    ENTENTE_RETURN_IF_ERROR(engine::CheckDownload(*job, worker_, digest));
    ENTENTE_ASSIGN_OR_RETURN(const auto file, service().models->OpenForRead(digest));
    if (request.offset() > file->size_bytes()) return absl::OutOfRangeError("past the end");
    uint64_t offset = request.offset();
    do {
      v1::Chunk chunk;
      chunk.set_offset(offset);
      chunk.set_total_bytes(file->size_bytes());
      chunk.mutable_data()->resize(std::min(context_.chunk_bytes, file->size_bytes() - offset));
      ENTENTE_RETURN_IF_ERROR(file->ReadAt(offset, absl::MakeSpan(*chunk.mutable_data())));
      offset += chunk.data().size();
      job->AddBytesDown(chunk.data().size());
      Send(chunk.SerializeAsString());
    } while (offset < file->size_bytes());
    return absl::OkStatus();
  }
};

template <typename T>
std::shared_ptr<Call> Started(const CallContext& context, int machine, const WorkerId& worker,
                              std::unique_ptr<Stream> stream, std::function<void()> on_over) {
  auto call = std::make_shared<T>(context, machine, worker, std::move(stream), std::move(on_over));
  call->Start();
  return call;
}

}  // namespace

std::shared_ptr<Call> MakeCall(const CallContext& context, const std::string& method, int machine,
                               const WorkerId& worker, std::unique_ptr<Stream> stream,
                               std::function<void()> on_over) {
  if (method == "Attach") {
    return Started<ControlCall>(context, machine, worker, std::move(stream), std::move(on_over));
  }
  if (method == "Upload") {
    return Started<UploadCall>(context, machine, worker, std::move(stream), std::move(on_over));
  }
  if (method == "GetUploadOffset") {
    return Started<OffsetCall>(context, machine, worker, std::move(stream), std::move(on_over));
  }
  if (method == "Download") {
    return Started<DownloadCall>(context, machine, worker, std::move(stream), std::move(on_over));
  }
  return nullptr;
}

}  // namespace entente::sim
