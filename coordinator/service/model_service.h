// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_MODEL_SERVICE_H_
#define COORDINATOR_SERVICE_MODEL_SERVICE_H_

// proto/entente/v1/model_service.proto, which documents every call and its status codes.

#include <grpcpp/grpcpp.h>

#include "coordinator/service/service_context.h"
#include "entente/v1/model_service.grpc.pb.h"

namespace entente::service {

// Thread-safe.
class ModelService final : public v1::ModelService::CallbackService {
 public:
  explicit ModelService(const ServiceContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* call,
                                       const v1::ListModelsRequest* request,
                                       v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* call,
                                     const v1::GetModelRequest* request,
                                     v1::StoredModel* response) override;

 private:
  const ServiceContext context_;
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_MODEL_SERVICE_H_
