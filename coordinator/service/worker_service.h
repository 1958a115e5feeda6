// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_WORKER_SERVICE_H_
#define COORDINATOR_SERVICE_WORKER_SERVICE_H_

// proto/entente/v1/worker_service.proto, which documents the call and its status codes.

#include <grpcpp/grpcpp.h>

#include "coordinator/service/service_context.h"
#include "entente/v1/worker_service.grpc.pb.h"

namespace entente::service {

// Thread-safe.
class WorkerService final : public v1::WorkerService::CallbackService {
 public:
  explicit WorkerService(const ServiceContext& context) : context_(context) {}

  grpc::ServerBidiReactor<v1::WorkerMessage, v1::CoordinatorMessage>* Attach(
      grpc::CallbackServerContext* call) override;

 private:
  const ServiceContext context_;
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_WORKER_SERVICE_H_
