// SPDX-License-Identifier: Apache-2.0
#include "common/identity/x509.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <string>

#include "common/base/limits.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/common/identity/test_certificates.h"

namespace entente {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr auto kInvalidArgument = absl::StatusCode::kInvalidArgument;

// `key_pem` once more, under a password.
std::string Encrypted(const std::string& key_pem) {
  const auto key = ParsePrivateKey(key_pem);
  const BioPointer bio(BIO_new(BIO_s_mem()));
  unsigned char password[] = "password";
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key->get(), EVP_aes_256_cbc(),
                                reinterpret_cast<char*>(password), 8, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

TEST(X509Test, OtherBlocksArePassedOver) {
  const CertificateAndKey authority = MakeAuthority("fr.example");

  const auto parsed = ParseCertificates(authority.private_key_pem + authority.certificate_pem);

  ASSERT_THAT(parsed, IsOk());
  EXPECT_THAT(*parsed, SizeIs(1));
  EXPECT_EQ(CertificateToPem(*parsed->front()), authority.certificate_pem);
}

TEST(X509Test, TextWithoutCertificateIsRefused) {
  EXPECT_THAT(ParseCertificates(""), StatusIs(kInvalidArgument, HasSubstr("no PEM certificate")));
  EXPECT_THAT(ParseCertificates("garbage"),
              StatusIs(kInvalidArgument, HasSubstr("no PEM certificate")));
}

TEST(X509Test, BrokenCertificateIsRefusedNamingItsPlace) {
  const std::string good = MakeAuthority("fr.example").certificate_pem;
  const std::string cut = good.substr(0, good.size() / 2);
  const std::string not_der = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";

  EXPECT_THAT(ParseCertificates(good + cut),
              StatusIs(kInvalidArgument, HasSubstr("certificate 2 is broken PEM")));
  EXPECT_THAT(ParseCertificates(not_der),
              StatusIs(kInvalidArgument, HasSubstr("certificate 1 is broken PEM")));
}

TEST(X509Test, TooMuchTextIsRefused) {
  EXPECT_THAT(ParseCertificates(std::string(limits::kPemBytesMax + 1, 'a')),
              StatusIs(kInvalidArgument, HasSubstr("at most 1048576 are read")));
}

TEST(X509Test, EncryptedKeyIsRefusedWithoutAskingForAPassword) {
  const std::string encrypted = Encrypted(MakeAuthority("fr.example").private_key_pem);

  EXPECT_THAT(ParsePrivateKey(encrypted), StatusIs(kInvalidArgument, HasSubstr("is encrypted")));
}

TEST(X509Test, CertificateIsNoPrivateKey) {
  EXPECT_THAT(ParsePrivateKey(MakeAuthority("fr.example").certificate_pem),
              StatusIs(kInvalidArgument, HasSubstr("no PEM private key")));
}

TEST(X509Test, AlternativeNamesAreReadByKind) {
  const CertificateAndKey leaf =
      MakeCertificate(MakeAuthority("fr.example"), "spiffe://fr.example/worker/a");
  const auto parsed = ParseCertificates(leaf.certificate_pem);

  const AlternativeNames names = AlternativeNamesOf(*parsed->front());

  EXPECT_THAT(names.uris, ElementsAre("spiffe://fr.example/worker/a"));
  EXPECT_THAT(names.dns_names, ElementsAre("localhost"));
  EXPECT_THAT(names.ip_addresses, ElementsAre("127.0.0.1", "::1"));
}

TEST(X509Test, BytesAfterAZeroInAUriAreKept) {
  const std::string hostile("spiffe://fr.example/worker/a\0/b", 31);
  const auto parsed = ParseCertificates(MakeLeafWithUris({hostile}, nullptr).certificate_pem);

  EXPECT_THAT(AlternativeNamesOf(*parsed->front()).uris, ElementsAre(hostile));
}

TEST(X509Test, TimesAreReadAsWritten) {
  const auto parsed = ParseCertificates(MakeLeafWithUris({}, nullptr).certificate_pem);

  EXPECT_EQ(NotBeforeOf(*parsed->front()), kNoon);
  EXPECT_EQ(NotAfterOf(*parsed->front()), kNoon + absl::Hours(24));
  EXPECT_EQ(TimeText(kNoon), "2023-11-14T22:13:20Z");
}

TEST(X509Test, ControlCharactersInASubjectAreEscaped) {
  CertificateFields fields;
  fields.common_name = "a\nb";
  fields.not_before = kNoon;
  fields.not_after = kNoon;
  ASSERT_OK_AND_ASSIGN(const CertificateAndKey made, BuildCertificate(fields, nullptr));
  const auto parsed = ParseCertificates(made.certificate_pem);

  EXPECT_EQ(SubjectOf(*parsed->front()), "CN = a\\0Ab");
}

}  // namespace
}  // namespace entente
