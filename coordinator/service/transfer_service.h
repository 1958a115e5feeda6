// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_TRANSFER_SERVICE_H_
#define COORDINATOR_SERVICE_TRANSFER_SERVICE_H_

// proto/entente/v1/transfer_service.proto, which documents every call and its status codes.

#include <grpcpp/grpcpp.h>

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/service/service_context.h"
#include "coordinator/service/transfer_slots.h"
#include "entente/v1/transfer_service.grpc.pb.h"

namespace entente::service {

// Thread-safe.
class TransferService final : public v1::TransferService::CallbackService {
 public:
  explicit TransferService(const ServiceContext& context)
      : context_(context),
        slots_({.all_max = context.transfers_max,
                .of_one_caller_max = context.transfers_per_caller_max}) {}

  grpc::ServerWriteReactor<v1::Chunk>* Download(grpc::CallbackServerContext* call,
                                                const v1::DownloadRequest* request) override;
  grpc::ServerUnaryReactor* GetUploadOffset(grpc::CallbackServerContext* call,
                                            const v1::UploadHeader* request,
                                            v1::UploadOffset* response) override;
  grpc::ServerReadReactor<v1::UploadMessage>* Upload(grpc::CallbackServerContext* call,
                                                     v1::UploadReceipt* response) override;

 private:
  const ServiceContext context_;
  TransferSlots slots_;
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_TRANSFER_SERVICE_H_
