// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_ADMIN_SERVICE_H_
#define COORDINATOR_SERVICE_ADMIN_SERVICE_H_

// proto/entente/v1/admin_service.proto, which documents every call and its status codes.

#include <grpcpp/grpcpp.h>

#include <utility>

#include "coordinator/inventory/backup_source.h"
#include "coordinator/service/service_context.h"
#include "entente/v1/admin_service.grpc.pb.h"

namespace entente::service {

// Thread-safe.
class AdminService final : public v1::AdminService::CallbackService {
 public:
  // What `backup` borrows must outlive the gRPC server.
  AdminService(const ServiceContext& context, inventory::BackupSource::Dependencies backup)
      : context_(context), backup_(std::move(backup)) {}

  grpc::ServerWriteReactor<v1::BackupMessage>* Backup(grpc::CallbackServerContext* call,
                                                      const v1::BackupRequest* request) override;

 private:
  const ServiceContext context_;
  const inventory::BackupSource::Dependencies backup_;
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_ADMIN_SERVICE_H_
