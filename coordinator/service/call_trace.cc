// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/call_trace.h"

#include "absl/strings/string_view.h"

namespace entente::service {

std::optional<TraceContext> TraceOfMetadata(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  if (metadata.count("traceparent") != 1) return std::nullopt;
  const grpc::string_ref& value = metadata.find("traceparent")->second;
  auto trace = TraceContext::Parse(absl::string_view(value.data(), value.size()));
  if (!trace.ok()) return std::nullopt;
  return *std::move(trace);
}

}  // namespace entente::service
