// SPDX-License-Identifier: Apache-2.0
#include "common/identity/verified_peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/status_matchers.h"
#include "tests/unit/common/identity/test_certificates.h"

namespace entente {
namespace {

constexpr char kWorkerId[] = "spiffe://fr.example/worker/gpu-1";

class VerifiedPeersTest : public ::testing::Test {
 protected:
  static std::unique_ptr<TrustStore> Trusting(const CertificateAndKey& authority) {
    return *TrustStore::Create({{.trust_domain = "fr.example",
                                 .certificates_pem = authority.certificate_pem,
                                 .roles = {Role::kWorker}}});
  }

  const CertificateAndKey authority_ = MakeAuthority("fr.example");
  const std::unique_ptr<TrustStore> store_ = Trusting(authority_);
  const CertificateAndKey worker_ = MakeCertificate(authority_, kWorkerId);
  VerifiedPeers peers_{store_.get(), /*peers_max=*/2};
};

TEST_F(VerifiedPeersTest, SaysWhatTheStoreSaysFirstAndLater) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(const PeerIdentity identity,
                         peers_.Verify(worker_.certificate_pem, kNoon + i * absl::Seconds(1)));
    EXPECT_EQ(identity.SpiffeId(), kWorkerId);
    EXPECT_EQ(identity.expires_at, kNoon + absl::Hours(24));
  }
}

TEST_F(VerifiedPeersTest, CertificateThatHasExpiredSinceIsRefused) {
  const absl::Time end = kNoon + absl::Hours(24);
  ASSERT_THAT(peers_.Verify(worker_.certificate_pem, end - absl::Seconds(1)), IsOk());

  EXPECT_THAT(peers_.Verify(worker_.certificate_pem, end + absl::Seconds(1)),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(VerifiedPeersTest, ClockThatWasSetBackIsNotTrusted) {
  ASSERT_THAT(peers_.Verify(worker_.certificate_pem, kNoon), IsOk());

  EXPECT_THAT(peers_.Verify(worker_.certificate_pem, kNoon - absl::Hours(24 * 365)),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

// The authority of the leaf's domain ends before the leaf does.
TEST_F(VerifiedPeersTest, AnswerIsKeptForAMinuteAndNoLonger) {
  const absl::Time end = kNoon + absl::Hours(1);
  const auto authority = CreateAuthority(
      {.trust_domain = "fr.example", .display_name = "FR", .validity = end - kNoon}, kNoon);
  ASSERT_THAT(authority, IsOk());
  const std::unique_ptr<TrustStore> store = Trusting(*authority);
  const std::string leaf = MakeLeafWithUris({kWorkerId}, &*authority).certificate_pem;
  VerifiedPeers peers(store.get());
  const absl::Time verified_at = end - absl::Seconds(1);
  ASSERT_THAT(peers.Verify(leaf, verified_at), IsOk());
  ASSERT_FALSE(store->Verify(leaf, end + absl::Seconds(1)).ok());

  EXPECT_THAT(peers.Verify(leaf, verified_at + VerifiedPeers::kHolds - absl::Seconds(1)), IsOk());
  EXPECT_FALSE(peers.Verify(leaf, verified_at + VerifiedPeers::kHolds).ok());
}

TEST_F(VerifiedPeersTest, AnotherAuthoritysCopyIsRefusedThoughTheRealOneIsKnown) {
  ASSERT_THAT(peers_.Verify(worker_.certificate_pem, kNoon), IsOk());
  const CertificateAndKey impostor = MakeAuthority("fr.example");

  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(peers_.Verify(MakeCertificate(impostor, kWorkerId).certificate_pem, kNoon),
                StatusIs(absl::StatusCode::kUnauthenticated));
  }
}

TEST_F(VerifiedPeersTest, MorePeersThanItKeepsAreStillVerified) {
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5; ++i) {
      const std::string id = "spiffe://fr.example/worker/gpu-" + std::to_string(i);
      ASSERT_OK_AND_ASSIGN(const PeerIdentity identity,
                           peers_.Verify(MakeCertificate(authority_, id).certificate_pem, kNoon));
      EXPECT_EQ(identity.SpiffeId(), id);
    }
  }
}

}  // namespace
}  // namespace entente
