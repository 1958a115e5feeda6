// SPDX-License-Identifier: Apache-2.0
#include "common/identity/certificate_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "tests/support/status_matchers.h"
#include "tests/unit/common/identity/test_certificates.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

CertificatePointer Parsed(const CertificateAndKey& made) {
  auto certificates = ParseCertificates(made.certificate_pem);
  return std::move(certificates->front());
}

TEST(CertificateBuilderTest, AuthorityMaySignLeavesOnly) {
  const CertificatePointer authority = Parsed(MakeAuthority("fr.example"));

  EXPECT_EQ(X509_get_key_usage(authority.get()), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
  EXPECT_EQ(X509_get_pathlen(authority.get()), 0);
  EXPECT_TRUE(IsAuthority(*authority));
}

TEST(CertificateBuilderTest, LeafIsForBothEndsOfTls) {
  const CertificatePointer leaf = Parsed(MakeLeafWithUris({"spiffe://a/worker/b"}, nullptr));

  EXPECT_EQ(X509_get_key_usage(leaf.get()), static_cast<uint32_t>(KU_DIGITAL_SIGNATURE));
  EXPECT_EQ(X509_get_extended_key_usage(leaf.get()),
            static_cast<uint32_t>(XKU_SSL_SERVER | XKU_SSL_CLIENT));
  EXPECT_EQ(EVP_PKEY_get_bits(X509_get0_pubkey(leaf.get())), 256);
  EXPECT_EQ(X509_get_version(leaf.get()), X509_VERSION_3);
  EXPECT_FALSE(IsAuthority(*leaf));
}

TEST(CertificateBuilderTest, SerialNumbersAreLargeAndDiffer) {
  const CertificatePointer one = Parsed(MakeLeafWithUris({}, nullptr));
  const CertificatePointer two = Parsed(MakeLeafWithUris({}, nullptr));

  const std::unique_ptr<BIGNUM, OpenSslFree<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(one.get()), nullptr));
  EXPECT_GT(BN_num_bits(number.get()), 90);
  EXPECT_LE(BN_num_bits(number.get()), 128);
  EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(one.get()), X509_get0_serialNumber(two.get())),
            0);
}

TEST(CertificateBuilderTest, LeafIsSignedByItsIssuer) {
  const CertificateAndKey authority = MakeAuthority("fr.example");

  const CertificatePointer leaf = Parsed(MakeLeafWithUris({}, &authority));

  EXPECT_EQ(X509_verify(leaf.get(), X509_get0_pubkey(Parsed(authority).get())), 1);
  EXPECT_EQ(IssuerOf(*leaf), "CN = Authority of fr.example");
}

TEST(CertificateBuilderTest, TooLongANameIsRefused) {
  CertificateFields fields;
  fields.common_name = std::string(65, 'a');
  fields.not_before = kNoon;
  fields.not_after = kNoon;

  EXPECT_THAT(BuildCertificate(fields, nullptr),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 64 characters")));
}

TEST(CertificateBuilderTest, GarbageForAnIssuerIsRefused) {
  const CertificateAndKey no_key = {.certificate_pem = MakeAuthority("a").certificate_pem,
                                    .private_key_pem = "garbage"};
  CertificateFields fields;
  fields.not_before = kNoon;
  fields.not_after = kNoon;

  EXPECT_THAT(BuildCertificate(fields, &no_key),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no PEM private key")));
}

}  // namespace
}  // namespace entente
