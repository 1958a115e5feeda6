// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_CALLER_H_
#define COORDINATOR_SERVICE_CALLER_H_

// Who calls, and whether they may: the first thing every call does.

#include <grpcpp/grpcpp.h>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/strong_id.h"
#include "common/identity/peer_identity.h"
#include "common/identity/trust_store.h"
#include "common/identity/verified_peers.h"
#include "coordinator/members/authorizer.h"
#include "coordinator/members/worker_registry.h"

namespace entente::service {

// Thread-safe. Every refusal is logged, with the call's trace and, if that is known, who called.
class CallerCheck {
 public:
  // Borrowed.
  CallerCheck(const TrustStore* trust, const members::WorkerRegistry* workers, const Clock* clock);

  // Whoever it is. UNAUTHENTICATED, PERMISSION_DENIED: as TrustStore::Verify.
  absl::StatusOr<PeerIdentity> Identify(const grpc::CallbackServerContext& context) const;

  // UNAUTHENTICATED, PERMISSION_DENIED: as Identify and members::Authorize.
  absl::StatusOr<PeerIdentity> Admit(const grpc::CallbackServerContext& context,
                                     members::Action action) const;

  // The same for Action::kWork.
  struct AdmittedWorker {
    WorkerId id;
    PeerIdentity identity;
  };
  absl::StatusOr<AdmittedWorker> AdmitWorker(const grpc::CallbackServerContext& context) const;

  // Logs a refusal, in the same words, for which more had to be known of the call.
  void LogRefusal(const grpc::CallbackServerContext& context, const PeerIdentity& caller,
                  const absl::Status& status) const;

 private:
  mutable VerifiedPeers peers_;  // Thread-safe; what it remembers changes no answer.
  const members::WorkerRegistry& workers_;
  const Clock& clock_;
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_CALLER_H_
