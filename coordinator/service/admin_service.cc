// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/admin_service.h"

#include <memory>
#include <set>
#include <string>

#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/rpc/status_conversion.h"
#include "coordinator/service/idle_cut.h"

namespace entente::service {
namespace {

absl::StatusOr<std::unique_ptr<inventory::BackupSource>> BeginBackup(
    const ServiceContext& context, const grpc::CallbackServerContext& call,
    const v1::BackupRequest& request, const inventory::BackupSource::Dependencies& dependencies) {
  ENTENTE_ASSIGN_OR_RETURN(const PeerIdentity caller,
                           context.callers->Admit(call, members::Action::kBackUp));
  std::set<Digest> present;
  for (const std::string& raw : request.present()) {
    ENTENTE_ASSIGN_OR_RETURN(const Digest digest, Digest::FromRaw(raw));
    present.insert(digest);
  }
  log::Info("backup begins", {{"operator", caller.SpiffeId()}});
  return inventory::BackupSource::Begin(dependencies, std::move(present));
}

// Sends one file after the other. Owns itself from construction until OnDone.
class BackupReactor final : public grpc::ServerWriteReactor<v1::BackupMessage> {
 public:
  // Context, call, request and dependencies are the service's and gRPC's until OnDone.
  BackupReactor(const ServiceContext& context, grpc::CallbackServerContext* call,
                const v1::BackupRequest* request,
                const inventory::BackupSource::Dependencies& dependencies)
      : executor_(context.transfer_executor),
        idle_(context, call, &executor_, "the reader read nothing") {
    executor_.Post([this, &context, call, request, &dependencies] {
      auto source = BeginBackup(context, *call, *request, dependencies);
      if (!source.ok()) return End(source.status());
      source_ = *std::move(source);
      WriteNext();
    });
  }

  void OnWriteDone(bool ok) override {
    idle_.EndWait();
    executor_.Post([this, ok] {
      if (ok) return WriteNext();
      const absl::Status cut = idle_.status();
      End(cut.ok() ? absl::CancelledError("the reader has gone") : cut);
    });
  }

  void OnDone() override {
    idle_.Stop();
    executor_.Post([this] { delete this; });  // After what `idle_` may have posted.
  }

 private:
  // On the executor, for it reads the disk. No write is in flight, so Finish is legal.
  void WriteNext() {
    if (has_ended_) return End(absl::OkStatus());
    if (const absl::Status status = FillMessage(); !status.ok()) return End(status);
    idle_.BeginWait();
    StartWrite(&message_);
  }

  absl::Status FillMessage() {
    const auto& files = source_->files();
    if (file_index_ < files.size() && is_in_file_ && offset_ == BytesToSend(files[file_index_])) {
      ++file_index_;
      is_in_file_ = false;
    }
    if (file_index_ == files.size()) {
      FillEnd();
      return absl::OkStatus();
    }
    const inventory::BackupFile& file = files[file_index_];
    if (!is_in_file_) {
      is_in_file_ = true;
      offset_ = 0;
      v1::BackupFile* const header = message_.mutable_file();
      header->set_path(file.path);
      header->set_total_bytes(file.total_bytes);
      header->set_digest(file.digest.Raw());
      header->set_is_present(file.is_present);
      return absl::OkStatus();
    }
    ENTENTE_ASSIGN_OR_RETURN(std::string data,
                             source_->Read(file_index_, offset_, limits::kTransferChunkBytes));
    offset_ += data.size();
    message_.set_data(std::move(data));
    return absl::OkStatus();
  }

  void FillEnd() {
    has_ended_ = true;
    v1::BackupEnd* const end = message_.mutable_end();
    end->set_file_count(source_->files().size());
    end->set_job_count(source_->job_count());
    uint64_t total_bytes = 0;
    for (const inventory::BackupFile& file : source_->files()) total_bytes += file.total_bytes;
    end->set_total_bytes(total_bytes);
    log::Info("backup sent", {{"files", source_->files().size()}, {"bytes", total_bytes}});
  }

  static uint64_t BytesToSend(const inventory::BackupFile& file) {
    return file.is_present ? 0 : file.total_bytes;
  }

  // Lets go of everything first: a peer that does not read its status keeps the call as long as it
  // likes.
  void End(const absl::Status& status) {
    source_.reset();
    v1::BackupMessage().Swap(&message_);
    Finish(ToGrpcStatus(status));
  }

  SerialExecutor executor_;
  IdleCut idle_;
  std::unique_ptr<inventory::BackupSource> source_;
  size_t file_index_ = 0;
  bool is_in_file_ = false;  // The file's header is sent.
  uint64_t offset_ = 0;
  bool has_ended_ = false;
  v1::BackupMessage message_;
};

}  // namespace

grpc::ServerWriteReactor<v1::BackupMessage>* AdminService::Backup(
    grpc::CallbackServerContext* call, const v1::BackupRequest* request) {
  return new BackupReactor(context_, call, request, backup_);
}

}  // namespace entente::service
