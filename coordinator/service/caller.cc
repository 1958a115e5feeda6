// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/caller.h"

#include <utility>
#include <vector>

#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/rpc/peer_certificate.h"
#include "coordinator/service/call_trace.h"

namespace entente::service {

CallerCheck::CallerCheck(const TrustStore* trust, const members::WorkerRegistry* workers,
                         const Clock* clock)
    : peers_(trust), workers_(*workers), clock_(*clock) {}

absl::StatusOr<PeerIdentity> CallerCheck::Admit(const grpc::CallbackServerContext& context,
                                                members::Action action) const {
  auto identity = peers_.Verify(PeerChainPem(context), clock_.Now());
  absl::Status status = identity.status();
  if (status.ok()) status = members::Authorize(*identity, action);
  if (!status.ok()) {
    std::vector<log::Field> fields;
    if (const auto trace = TraceOfCall(context)) fields.emplace_back("trace", trace->trace_id());
    const log::Scope scope(std::move(fields));
    log::Warning("call refused",
                 {{"peer", context.peer()}, {"reason", std::string(status.message())}});
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
