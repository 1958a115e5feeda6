// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/call_trace.h"

#include "absl/strings/string_view.h"
#include "coordinator/engine/transition_log.h"

namespace entente::service {

std::optional<TraceContext> TraceOfMetadata(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  if (metadata.count("traceparent") != 1) return std::nullopt;
  const grpc::string_ref& value = metadata.find("traceparent")->second;
  auto trace = TraceContext::Parse(absl::string_view(value.data(), value.size()));
  if (!trace.ok()) return std::nullopt;
  return *std::move(trace);
}

std::vector<log::Field> LogFieldsOfNamedJob(const engine::JobDirectory& jobs,
                                            const std::string& job_id) {
  const auto job = jobs.Find(JobId(job_id));
  if (!job.ok()) return {};
  return engine::LogFieldsOf((*job)->description(), (*job)->View().state->round.round_index);
}

}  // namespace entente::service
