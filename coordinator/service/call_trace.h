// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_CALL_TRACE_H_
#define COORDINATOR_SERVICE_CALL_TRACE_H_

#include <grpcpp/grpcpp.h>

#include <map>
#include <optional>

#include "common/base/trace_context.h"

namespace entente::service {

// The trace that a call says it belongs to, in its metadata `traceparent`. Nothing if it says none,
// one that is malformed, or several, as W3C Trace Context asks for.
std::optional<TraceContext> TraceOfMetadata(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

inline std::optional<TraceContext> TraceOfCall(const grpc::CallbackServerContext& call) {
  return TraceOfMetadata(call.client_metadata());
}

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_CALL_TRACE_H_
