// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_UNARY_CALL_H_
#define COORDINATOR_SERVICE_UNARY_CALL_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "common/base/executor.h"
#include "common/rpc/status_conversion.h"

namespace entente::service {

// Answers a call by running `work` on `executor`: gRPC's own threads must not wait for a disk or a
// lock. Request, response and context live until the reactor is finished.
inline grpc::ServerUnaryReactor* RunUnary(grpc::CallbackServerContext* context, Executor& executor,
                                          std::function<absl::Status()> work) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  executor.Post([reactor, work = std::move(work)] { reactor->Finish(ToGrpcStatus(work())); });
  return reactor;
}

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_UNARY_CALL_H_
