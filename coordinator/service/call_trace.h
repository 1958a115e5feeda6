// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_CALL_TRACE_H_
#define COORDINATOR_SERVICE_CALL_TRACE_H_

#include <grpcpp/grpcpp.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "common/base/trace_context.h"
#include "coordinator/engine/job_directory.h"

namespace entente::service {

// The trace that a call says it belongs to, in its metadata `traceparent`. Nothing if it says none,
// one that is malformed, or several, as W3C Trace Context asks for.
std::optional<TraceContext> TraceOfMetadata(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

inline std::optional<TraceContext> TraceOfCall(const grpc::CallbackServerContext& call) {
  return TraceOfMetadata(call.client_metadata());
}

// What lines about a call carry that names a job: job, round and trace of the job. Nothing if there
// is no such job; whoever calls may not be admitted yet.
std::vector<log::Field> LogFieldsOfNamedJob(const engine::JobDirectory& jobs,
                                            const std::string& job_id);

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_CALL_TRACE_H_
