// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_IDENTITY_TRUST_STORE_H_
#define COMMON_IDENTITY_TRUST_STORE_H_

// Which authority may vouch for whom. TLS alone accepts a certificate from any authority it trusts;
// here each authority is trusted for its own trust domain and roles only, so that no member's
// authority can make another member's worker, or an operator.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/identity/peer_identity.h"

namespace entente {

// Immutable; thread-safe.
class TrustStore {
 public:
  struct Authority {
    std::string trust_domain;
    std::string certificates_pem;  // One or more CA certificates.
    std::vector<Role> roles;       // What it may vouch for.
  };

  // INVALID_ARGUMENT if an authority's PEM holds no CA certificate, or a trust domain is there
  // twice.
  static absl::StatusOr<std::unique_ptr<TrustStore>> Create(std::vector<Authority> authorities);
  ~TrustStore();

  // Who presented `chain_pem` (leaf first), at time `now`.
  //
  // UNAUTHENTICATED: not PEM, no or several SPIFFE ids, unknown trust domain, not issued by that
  // domain's own authority (naming both), expired or not yet valid (naming when).
  // PERMISSION_DENIED: the authority may not vouch for that role.
  absl::StatusOr<PeerIdentity> Verify(absl::string_view chain_pem, absl::Time now) const;

  // Every authority's certificates, for TLS's own check.
  std::string BundlePem() const;

 private:
  struct Entry;
  explicit TrustStore(std::vector<Entry> entries);
  const std::vector<Entry> entries_;
};

}  // namespace entente

#endif  // COMMON_IDENTITY_TRUST_STORE_H_
