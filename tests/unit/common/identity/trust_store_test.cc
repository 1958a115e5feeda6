// SPDX-License-Identifier: Apache-2.0
#include "common/identity/trust_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/support/status_matchers.h"
#include "tests/unit/common/identity/test_certificates.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnauthenticated = absl::StatusCode::kUnauthenticated;

// Two members, FR and KR, each with an authority for workers and submitters.
class TrustStoreTest : public ::testing::Test {
 protected:
  TrustStoreTest() {
    auto made =
        TrustStore::Create({Trusted("fr.example", french_), Trusted("kr.example", korean_)});
    store_ = *std::move(made);
  }

  static TrustStore::Authority Trusted(const std::string& trust_domain,
                                       const CertificateAndKey& authority) {
    return {.trust_domain = trust_domain,
            .certificates_pem = authority.certificate_pem,
            .roles = {Role::kWorker, Role::kSubmitter}};
  }

  absl::StatusOr<PeerIdentity> Verify(const CertificateAndKey& leaf, absl::Time now = kNoon) const {
    return store_->Verify(leaf.certificate_pem, now);
  }

  const CertificateAndKey french_ = MakeAuthority("fr.example");
  const CertificateAndKey korean_ = MakeAuthority("kr.example");
  std::unique_ptr<TrustStore> store_;
};

TEST_F(TrustStoreTest, MemberIsRecognised) {
  const CertificateAndKey leaf = MakeCertificate(french_, "spiffe://fr.example/worker/gpu-1");

  ASSERT_OK_AND_ASSIGN(const PeerIdentity identity, Verify(leaf));

  EXPECT_EQ(identity.SpiffeId(), "spiffe://fr.example/worker/gpu-1");
  EXPECT_EQ(identity.expires_at, kNoon + absl::Hours(24));
}

TEST_F(TrustStoreTest, AuthorityBehindTheLeafDoesNotMatter) {
  const CertificateAndKey leaf = MakeCertificate(french_, "spiffe://fr.example/worker/gpu-1");

  EXPECT_THAT(store_->Verify(leaf.certificate_pem + french_.certificate_pem, kNoon), IsOk());
}

TEST_F(TrustStoreTest, AnotherMembersAuthorityCannotMakeAWorker) {
  const CertificateAndKey leaf = MakeLeafWithUris({"spiffe://fr.example/worker/gpu-1"}, &korean_);

  EXPECT_THAT(Verify(leaf),
              StatusIs(kUnauthenticated,
                       AllOf(HasSubstr("spiffe://fr.example/worker/gpu-1"),
                             HasSubstr("was issued by \"CN = Authority of kr.example\""),
                             HasSubstr("\"CN = Authority of fr.example\" should have issued it"))));
}

TEST_F(TrustStoreTest, AnotherMembersAuthoritySentAlongDoesNotHelp) {
  const CertificateAndKey leaf = MakeLeafWithUris({"spiffe://fr.example/worker/gpu-1"}, &korean_);

  EXPECT_THAT(store_->Verify(leaf.certificate_pem + korean_.certificate_pem, kNoon),
              StatusIs(kUnauthenticated, HasSubstr("should have issued it")));
}

TEST_F(TrustStoreTest, AuthorityWithTheSameNameIsNotTheSame) {
  const CertificateAndKey impostor = MakeAuthority("fr.example");

  EXPECT_THAT(Verify(MakeCertificate(impostor, "spiffe://fr.example/worker/gpu-1")),
              StatusIs(kUnauthenticated, HasSubstr("\"CN = Authority of fr.example\"")));
}

TEST_F(TrustStoreTest, SelfSignedLeafIsRefused) {
  EXPECT_THAT(Verify(MakeLeafWithUris({"spiffe://fr.example/worker/gpu-1"}, nullptr)),
              StatusIs(kUnauthenticated, HasSubstr("self-signed")));
}

TEST_F(TrustStoreTest, LeafIssuedByALeafIsRefused) {
  const CertificateAndKey leaf = MakeCertificate(french_, "spiffe://fr.example/worker/gpu-1");
  const CertificateAndKey forged = MakeLeafWithUris({"spiffe://fr.example/worker/gpu-2"}, &leaf);

  EXPECT_THAT(store_->Verify(forged.certificate_pem + leaf.certificate_pem, kNoon),
              StatusIs(kUnauthenticated, HasSubstr("spiffe://fr.example/worker/gpu-2")));
}

TEST_F(TrustStoreTest, AuthorityItselfIsNoPeer) {
  EXPECT_THAT(Verify(french_), StatusIs(kUnauthenticated, HasSubstr("is an authority's own")));
}

TEST_F(TrustStoreTest, UnknownTrustDomainIsRefused) {
  const CertificateAndKey leaf =
      MakeCertificate(MakeAuthority("xx.example"), "spiffe://xx.example/worker/gpu-1");

  EXPECT_THAT(Verify(leaf), StatusIs(kUnauthenticated,
                                     HasSubstr("trust domain xx.example belongs to no member")));
}

TEST_F(TrustStoreTest, ExpiredCertificateIsRefusedNamingTheDate) {
  const CertificateAndKey leaf = MakeCertificate(french_, "spiffe://fr.example/worker/gpu-1");

  EXPECT_THAT(Verify(leaf, kNoon + absl::Hours(25)),
              StatusIs(kUnauthenticated, HasSubstr("expired at 2023-11-15T22:13:20Z")));
}

TEST_F(TrustStoreTest, CertificateOfTheFutureIsRefusedNamingTheDate) {
  const CertificateAndKey leaf = MakeCertificate(french_, "spiffe://fr.example/worker/gpu-1");

  EXPECT_THAT(Verify(leaf, kNoon - absl::Minutes(6)),
              StatusIs(kUnauthenticated, HasSubstr("not valid before 2023-11-14T22:08:20Z")));
}

TEST_F(TrustStoreTest, ExpiredAuthorityIsNamed) {
  const absl::Time then = kNoon - absl::Hours(24 * 3650);
  const CertificateAndKey old = MakeAuthority("fr.example", then);
  const CertificateAndKey leaf = MakeLeafWithUris({"spiffe://fr.example/worker/gpu-1"}, &old);
  ASSERT_OK_AND_ASSIGN(const auto store, TrustStore::Create({Trusted("fr.example", old)}));

  EXPECT_THAT(
      store->Verify(leaf.certificate_pem, kNoon + absl::Hours(1)),
      StatusIs(kUnauthenticated,
               HasSubstr("the authority \"CN = Authority of fr.example\" above it expired")));
}

TEST_F(TrustStoreTest, RoleTheAuthorityMayNotVouchForIsDenied) {
  const CertificateAndKey leaf = MakeCertificate(french_, "spiffe://fr.example/operator/root");

  EXPECT_THAT(Verify(leaf), StatusIs(absl::StatusCode::kPermissionDenied,
                                     AllOf(HasSubstr("may not vouch for role operator"),
                                           HasSubstr("only for worker, submitter"))));
}

TEST_F(TrustStoreTest, CertificateWithoutSpiffeIdIsRefused) {
  EXPECT_THAT(Verify(MakeLeafWithUris({}, &french_)),
              StatusIs(kUnauthenticated, HasSubstr("carries no SPIFFE id")));
}

TEST_F(TrustStoreTest, CertificateWithTwoSpiffeIdsIsRefused) {
  const CertificateAndKey leaf = MakeLeafWithUris(
      {"spiffe://fr.example/worker/gpu-1", "spiffe://kr.example/worker/gpu-1"}, &french_);

  EXPECT_THAT(Verify(leaf), StatusIs(kUnauthenticated, HasSubstr("carries 2 URIs")));
}

TEST_F(TrustStoreTest, MalformedSpiffeIdIsRefused) {
  EXPECT_THAT(Verify(MakeLeafWithUris({"spiffe://fr.example/king/louis"}, &french_)),
              StatusIs(kUnauthenticated, HasSubstr("role \"king\" is unknown")));
}

TEST_F(TrustStoreTest, GarbageIsRefused) {
  EXPECT_THAT(store_->Verify("garbage", kNoon),
              StatusIs(kUnauthenticated, HasSubstr("no PEM certificate")));
  EXPECT_THAT(store_->Verify("", kNoon),
              StatusIs(kUnauthenticated, HasSubstr("no PEM certificate")));
}

TEST_F(TrustStoreTest, EndlessChainIsRefused) {
  std::string chain = MakeCertificate(french_, "spiffe://fr.example/worker/gpu-1").certificate_pem;
  for (int i = 0; i < 8; ++i) chain += french_.certificate_pem;

  EXPECT_THAT(store_->Verify(chain, kNoon),
              StatusIs(kUnauthenticated, HasSubstr("sent 9 certificates; at most 8")));
}

TEST_F(TrustStoreTest, OldAndNewAuthorityStandSideBySide) {
  const CertificateAndKey newer = MakeAuthority("fr.example");
  ASSERT_OK_AND_ASSIGN(
      const auto store,
      TrustStore::Create({{.trust_domain = "fr.example",
                           .certificates_pem = french_.certificate_pem + newer.certificate_pem,
                           .roles = {Role::kWorker}}}));

  for (const CertificateAndKey& authority : {french_, newer}) {
    const CertificateAndKey leaf = MakeCertificate(authority, "spiffe://fr.example/worker/a");
    EXPECT_THAT(store->Verify(leaf.certificate_pem, kNoon), IsOk());
  }
}

TEST_F(TrustStoreTest, BundleHoldsEveryAuthority) {
  EXPECT_EQ(store_->BundlePem(), french_.certificate_pem + korean_.certificate_pem);
}

TEST_F(TrustStoreTest, WrongAuthoritiesAreRefusedAtTheStart) {
  const CertificateAndKey leaf = MakeCertificate(french_, "spiffe://fr.example/worker/gpu-1");

  EXPECT_THAT(TrustStore::Create({Trusted("fr.example", leaf)}),
              StatusIs(kInvalid, HasSubstr("is not an authority's")));
  EXPECT_THAT(TrustStore::Create({Trusted("fr.example", {"garbage", ""})}),
              StatusIs(kInvalid, HasSubstr("the authority of fr.example: there is no PEM")));
  EXPECT_THAT(TrustStore::Create({Trusted("fr.example", korean_)}),
              StatusIs(kInvalid, HasSubstr("is of spiffe://kr.example")));
  EXPECT_THAT(TrustStore::Create({Trusted("fr.example", french_), Trusted("fr.example", french_)}),
              StatusIs(kInvalid, HasSubstr("fr.example is there twice")));
  EXPECT_THAT(TrustStore::Create({Trusted("FR", french_)}),
              StatusIs(kInvalid, HasSubstr("trust domain \"FR\"")));
}

}  // namespace
}  // namespace entente
