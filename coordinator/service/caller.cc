// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/caller.h"

#include <utility>
#include <vector>

#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/base/utf8.h"
#include "common/rpc/peer_certificate.h"
#include "coordinator/service/call_trace.h"

namespace entente::service {
namespace {

void LogRefusedCall(const grpc::CallbackServerContext& call, const absl::Status& status,
                    std::vector<log::Field> fields) {
  if (const auto trace = TraceOfCall(call)) fields.emplace_back("trace", trace->trace_id());
  const log::Scope scope(std::move(fields));
  log::Warning("call refused",
               {{"peer", call.peer()},
                {"reason", std::string(ClipUtf8(status.message(), limits::kReasonBytesMax))}});
}

}  // namespace

CallerCheck::CallerCheck(const TrustStore* trust, const members::WorkerRegistry* workers,
                         const Clock* clock)
    : peers_(trust), workers_(*workers), clock_(*clock) {}

absl::StatusOr<PeerIdentity> CallerCheck::Identify(
    const grpc::CallbackServerContext& context) const {
  auto identity = peers_.Verify(PeerChainPem(context), clock_.Now());
  if (!identity.ok()) LogRefusedCall(context, identity.status(), {});
  return identity;
}

absl::StatusOr<PeerIdentity> CallerCheck::Admit(const grpc::CallbackServerContext& context,
                                                members::Action action) const {
  ENTENTE_ASSIGN_OR_RETURN(PeerIdentity identity, Identify(context));
  if (absl::Status status = members::Authorize(identity, action); !status.ok()) {
    LogRefusal(context, identity, status);
    return status;
  }
  return identity;
}

absl::StatusOr<CallerCheck::AdmittedWorker> CallerCheck::AdmitWorker(
    const grpc::CallbackServerContext& context) const {
  ENTENTE_ASSIGN_OR_RETURN(PeerIdentity identity, Admit(context, members::Action::kWork));
  absl::StatusOr<WorkerId> id = workers_.WorkerOf(identity);
  if (!id.ok()) {
    LogRefusal(context, identity, id.status());
    return id.status();
  }
  return AdmittedWorker{.id = *std::move(id), .identity = std::move(identity)};
}

void CallerCheck::LogRefusal(const grpc::CallbackServerContext& context, const PeerIdentity& caller,
                             const absl::Status& status) const {
  std::vector<log::Field> fields = {{"caller", caller.SpiffeId()}};
  if (caller.role == Role::kWorker) {
    const auto worker = workers_.WorkerOf(caller);
    if (worker.ok()) fields.emplace_back("worker", worker->value());
  }
  LogRefusedCall(context, status, std::move(fields));
}

}  // namespace entente::service
