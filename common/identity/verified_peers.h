// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_IDENTITY_VERIFIED_PEERS_H_
#define COMMON_IDENTITY_VERIFIED_PEERS_H_

// Peers whose certificates were verified a short while ago. A worker makes four calls a round, and
// each asks who calls; parsing and verifying a chain takes longer than most of those calls.

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/crypto/sha256.h"
#include "common/identity/trust_store.h"

namespace entente {

// Thread-safe.
class VerifiedPeers {
 public:
  // How long a verification holds. The end of the leaf's own validity is noticed at once, that of
  // an authority in its chain within this time.
  static constexpr absl::Duration kHolds = absl::Minutes(1);

  // `trust` is borrowed. Keeps at most `peers_max` peers, each of 100 bytes or so.
  explicit VerifiedPeers(const TrustStore* trust, size_t peers_max = 10'000);

  // As TrustStore::Verify. Refusals are not kept.
  absl::StatusOr<PeerIdentity> Verify(absl::string_view chain_pem, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Verified {
    PeerIdentity identity;
    absl::Time at;
  };

  const TrustStore& trust_;
  const size_t peers_max_;

  absl::Mutex mu_;
  absl::flat_hash_map<Digest, Verified> peers_ ABSL_GUARDED_BY(mu_);  // By digest of the chain.
};

}  // namespace entente

#endif  // COMMON_IDENTITY_VERIFIED_PEERS_H_
