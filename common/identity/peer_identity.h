// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_IDENTITY_PEER_IDENTITY_H_
#define COMMON_IDENTITY_PEER_IDENTITY_H_

// Who is on the other side of a connection, as its certificate's SPIFFE id says:
// spiffe://<trust domain>/<role>/<name> (the SPIFFE ID specification, section 2).

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace entente {

// What a peer may do follows from its role; see coordinator/members/authorizer.h.
enum class Role { kCoordinator, kWorker, kSubmitter, kOperator, kObserver };

// "coordinator", "worker", ...
absl::string_view RoleName(Role role);
// INVALID_ARGUMENT, naming those there are.
absl::StatusOr<Role> ParseRole(absl::string_view name);

struct PeerIdentity {
  std::string trust_domain;
  Role role = Role::kObserver;
  std::string name;
  absl::Time expires_at;  // Of the certificate; InfiniteFuture if read from an id alone.

  // "spiffe://fr-lab.example/worker/gpu-1".
  std::string SpiffeId() const;
};

// INVALID_ARGUMENT unless it is 1 to 253 characters of [a-z0-9.-].
absl::Status CheckTrustDomain(absl::string_view trust_domain);

// INVALID_ARGUMENT unless `id` is a SPIFFE id of the form above: a trust domain of at most 253
// characters of [a-z0-9.-], a known role, a name of 1 to 63 characters of [a-z0-9._-].
absl::StatusOr<PeerIdentity> ParseSpiffeId(absl::string_view id);

}  // namespace entente

#endif  // COMMON_IDENTITY_PEER_IDENTITY_H_
