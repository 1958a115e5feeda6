// SPDX-License-Identifier: Apache-2.0
#include "common/identity/verified_peers.h"

#include "common/base/status_macros.h"

namespace entente {

VerifiedPeers::VerifiedPeers(const TrustStore* trust, size_t peers_max)
    : trust_(*trust), peers_max_(peers_max) {}

absl::StatusOr<PeerIdentity> VerifiedPeers::Verify(absl::string_view chain_pem, absl::Time now) {
  const Digest chain = Sha256Of(chain_pem);
  {
    absl::MutexLock lock(&mu_);
    const auto it = peers_.find(chain);
    // A clock that was set back has verified nothing yet.
    if (it != peers_.end() && now >= it->second.at && now < it->second.at + kHolds &&
        now < it->second.identity.expires_at) {
      return it->second.identity;
    }
  }
  ENTENTE_ASSIGN_OR_RETURN(PeerIdentity identity, trust_.Verify(chain_pem, now));
  absl::MutexLock lock(&mu_);
  if (peers_.size() >= peers_max_) peers_.clear();  // Whoever is still there is verified again.
  peers_[chain] = {.identity = identity, .at = now};
  return identity;
}

}  // namespace entente
