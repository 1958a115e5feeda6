// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/caller.h"

#include <utility>
#include <vector>

#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/rpc/peer_certificate.h"
#include "coordinator/service/call_trace.h"

namespace entente::service {
namespace {

void LogRefusal(const grpc::CallbackServerContext& call, const absl::Status& status) {
  std::vector<log::Field> fields;
  if (const auto trace = TraceOfCall(call)) fields.emplace_back("trace", trace->trace_id());
  const log::Scope scope(std::move(fields));
  log::Warning("call refused", {{"peer", call.peer()}, {"reason", std::string(status.message())}});
}

}  // namespace

CallerCheck::CallerCheck(const TrustStore* trust, const members::WorkerRegistry* workers,
                         const Clock* clock)
    : peers_(trust), workers_(*workers), clock_(*clock) {}

absl::StatusOr<PeerIdentity> CallerCheck::Identify(
    const grpc::CallbackServerContext& context) const {
  auto identity = peers_.Verify(PeerChainPem(context), clock_.Now());
  if (!identity.ok()) LogRefusal(context, identity.status());
  return identity;
}

absl::StatusOr<PeerIdentity> CallerCheck::Admit(const grpc::CallbackServerContext& context,
                                                members::Action action) const {
  ENTENTE_ASSIGN_OR_RETURN(PeerIdentity identity, Identify(context));
  if (absl::Status status = members::Authorize(identity, action); !status.ok()) {
    LogRefusal(context, status);
    return status;
  }
  return identity;
}

absl::StatusOr<CallerCheck::AdmittedWorker> CallerCheck::AdmitWorker(
    const grpc::CallbackServerContext& context) const {
  ENTENTE_ASSIGN_OR_RETURN(PeerIdentity identity, Admit(context, members::Action::kWork));
  ENTENTE_ASSIGN_OR_RETURN(WorkerId id, workers_.WorkerOf(identity));
  return AdmittedWorker{.id = std::move(id), .identity = std::move(identity)};
}

}  // namespace entente::service
