// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/worker_service.h"

#include "coordinator/service/attach_reactor.h"

namespace entente::service {

grpc::ServerBidiReactor<v1::WorkerMessage, v1::CoordinatorMessage>* WorkerService::Attach(
    grpc::CallbackServerContext* call) {
  return AttachReactor::Start(context_, call, context_.callers->AdmitWorker(*call));
}

}  // namespace entente::service
