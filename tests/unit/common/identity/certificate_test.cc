// SPDX-License-Identifier: Apache-2.0
#include "common/identity/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "common/base/file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/common/identity/test_certificates.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::string_view kWorker = "spiffe://fr.example/worker/gpu-1";

CertificateRequest WorkerRequest() {
  return {.spiffe_id = std::string(kWorker),
          .dns_names = {"gpu-1.fr.example"},
          .ip_addresses = {"192.0.2.7", "2001:db8::7"},
          .validity = absl::Hours(1)};
}

AuthorityRequest FrenchAuthority() {
  return {.trust_domain = "fr.example", .display_name = "FR Lab", .validity = absl::Hours(48)};
}

TEST(CertificateTest, AuthoritySaysWhoItIsAndMaySign) {
  ASSERT_OK_AND_ASSIGN(const CertificateAndKey authority,
                       CreateAuthority(FrenchAuthority(), kNoon));

  ASSERT_OK_AND_ASSIGN(const CertificateDescription described,
                       DescribeCertificate(authority.certificate_pem));
  EXPECT_TRUE(described.is_authority);
  EXPECT_EQ(described.subject, "CN = FR Lab");
  EXPECT_EQ(described.issuer, described.subject);
  EXPECT_EQ(described.spiffe_id, "spiffe://fr.example");
  EXPECT_EQ(described.not_after, kNoon + absl::Hours(48));
  EXPECT_THAT(CheckKeyFits(authority.certificate_pem, authority.private_key_pem), IsOk());
}

TEST(CertificateTest, LeafCarriesWhatWasAskedFor) {
  const CertificateAndKey authority = MakeAuthority("fr.example");

  ASSERT_OK_AND_ASSIGN(const CertificateAndKey leaf,
                       IssueCertificate(authority, WorkerRequest(), kNoon));

  ASSERT_OK_AND_ASSIGN(const CertificateDescription described,
                       DescribeCertificate(leaf.certificate_pem));
  EXPECT_FALSE(described.is_authority);
  EXPECT_EQ(described.subject, "O = worker, CN = gpu-1");
  EXPECT_EQ(described.issuer, "CN = Authority of fr.example");
  EXPECT_EQ(described.spiffe_id, kWorker);
  EXPECT_THAT(described.dns_names, ElementsAre("gpu-1.fr.example"));
  EXPECT_THAT(described.ip_addresses, ElementsAre("192.0.2.7", "2001:db8::7"));
  EXPECT_EQ(described.not_before, kNoon - absl::Minutes(5));
  EXPECT_EQ(described.not_after, kNoon + absl::Hours(1));
  EXPECT_THAT(described.sha256_fingerprint, MatchesRegex("[0-9a-f]{64}"));
  EXPECT_THAT(CheckKeyFits(leaf.certificate_pem, leaf.private_key_pem), IsOk());
}

TEST(CertificateTest, LeafIsNotValidBeforeItsAuthority) {
  const CertificateAndKey authority = MakeAuthority("fr.example", kNoon);

  ASSERT_OK_AND_ASSIGN(const CertificateAndKey leaf,
                       IssueCertificate(authority, WorkerRequest(), kNoon - absl::Minutes(3)));

  ASSERT_OK_AND_ASSIGN(const CertificateDescription described,
                       DescribeCertificate(leaf.certificate_pem));
  EXPECT_EQ(described.not_before, kNoon - absl::Minutes(5));
}

TEST(CertificateTest, EachCertificateHasItsOwnKeyAndFingerprint) {
  const CertificateAndKey authority = MakeAuthority("fr.example");

  const CertificateAndKey one = MakeCertificate(authority, std::string(kWorker));
  const CertificateAndKey two = MakeCertificate(authority, std::string(kWorker));

  EXPECT_NE(one.private_key_pem, two.private_key_pem);
  EXPECT_NE(DescribeCertificate(one.certificate_pem)->sha256_fingerprint,
            DescribeCertificate(two.certificate_pem)->sha256_fingerprint);
}

TEST(CertificateTest, LeafThatOutlivesItsAuthorityIsRefused) {
  ASSERT_OK_AND_ASSIGN(const CertificateAndKey authority,
                       CreateAuthority(FrenchAuthority(), kNoon));
  CertificateRequest request = WorkerRequest();
  request.validity = absl::Hours(49);

  EXPECT_THAT(IssueCertificate(authority, request, kNoon),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("valid until 2023-11-16T23:13:20Z"),
                             HasSubstr("\"CN = FR Lab\" only until 2023-11-16T22:13:20Z"),
                             HasSubstr("ask for a shorter validity"))));
}

TEST(CertificateTest, ExpiredAuthorityIssuesNothing) {
  ASSERT_OK_AND_ASSIGN(const CertificateAndKey authority,
                       CreateAuthority(FrenchAuthority(), kNoon));

  EXPECT_THAT(IssueCertificate(authority, WorkerRequest(), kNoon + absl::Hours(48)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("\"CN = FR Lab\" expired at 2023-11-16T22:13:20Z")));
}

TEST(CertificateTest, AuthorityIssuesInItsOwnTrustDomainOnly) {
  const CertificateAndKey korean = MakeAuthority("kr.example");

  EXPECT_THAT(
      IssueCertificate(korean, WorkerRequest(), kNoon),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("is of spiffe://kr.example and cannot issue " + std::string(kWorker))));
}

TEST(CertificateTest, LeafIssuesNothing) {
  const CertificateAndKey leaf =
      MakeCertificate(MakeAuthority("fr.example"), "spiffe://fr.example/operator/root");

  EXPECT_THAT(IssueCertificate(leaf, WorkerRequest(), kNoon),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not an authority")));
}

TEST(CertificateTest, AuthorityWithAnotherKeyIssuesNothing) {
  CertificateAndKey authority = MakeAuthority("fr.example");
  authority.private_key_pem = MakeAuthority("fr.example").private_key_pem;

  EXPECT_THAT(
      IssueCertificate(authority, WorkerRequest(), kNoon),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("private key does not belong")));
}

TEST(CertificateTest, GarbageForAnAuthorityIsRefused) {
  EXPECT_THAT(IssueCertificate({"garbage", "garbage"}, WorkerRequest(), kNoon),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the authority's certificate: there is no PEM certificate")));
}

TEST(CertificateTest, MalformedRequestsAreRefusedNamingTheField) {
  const CertificateAndKey authority = MakeAuthority("fr.example");
  const auto issue = [&authority](auto change) {
    CertificateRequest request = WorkerRequest();
    change(request);
    return IssueCertificate(authority, request, kNoon);
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

  EXPECT_THAT(issue([](auto& r) { r.spiffe_id = "worker"; }),
              StatusIs(kInvalid, HasSubstr("\"worker\" is not a SPIFFE id")));
  EXPECT_THAT(issue([](auto& r) { r.dns_names = {"a b"}; }),
              StatusIs(kInvalid, HasSubstr("\"a b\" is not a DNS name")));
  EXPECT_THAT(issue([](auto& r) { r.dns_names = {""}; }),
              StatusIs(kInvalid, HasSubstr("is not a DNS name")));
  EXPECT_THAT(issue([](auto& r) { r.ip_addresses = {"300.0.0.1"}; }),
              StatusIs(kInvalid, HasSubstr("\"300.0.0.1\" is not an IP address")));
  EXPECT_THAT(issue([](auto& r) { r.validity = absl::ZeroDuration(); }),
              StatusIs(kInvalid, HasSubstr("must be positive")));
  EXPECT_THAT(issue([](auto& r) { r.validity = absl::InfiniteDuration(); }),
              StatusIs(kInvalid, HasSubstr("the year 9999")));
}

TEST(CertificateTest, MalformedAuthorityRequestsAreRefusedNamingTheField) {
  const auto create = [](auto change) {
    AuthorityRequest request = FrenchAuthority();
    change(request);
    return CreateAuthority(request, kNoon);
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

  EXPECT_THAT(create([](auto& r) { r.trust_domain = "FR"; }),
              StatusIs(kInvalid, HasSubstr("trust domain \"FR\"")));
  EXPECT_THAT(create([](auto& r) { r.display_name = ""; }),
              StatusIs(kInvalid, HasSubstr("display name")));
  EXPECT_THAT(create([](auto& r) { r.display_name = "a\nb"; }),
              StatusIs(kInvalid, HasSubstr("\"a\\nb\"")));
  EXPECT_THAT(create([](auto& r) { r.display_name = "\xff\xfe"; }),
              StatusIs(kInvalid, HasSubstr("64 characters of UTF-8")));
  EXPECT_THAT(create([](auto& r) { r.validity = -absl::Hours(1); }),
              StatusIs(kInvalid, HasSubstr("must be positive")));
}

TEST(CertificateTest, EveryCertificateOfAFileIsDescribed) {
  const std::string both = MakeAuthority("fr.example").certificate_pem + "a comment\n" +
                           MakeAuthority("kr.example").certificate_pem;

  ASSERT_OK_AND_ASSIGN(const auto all, DescribeCertificates(both));

  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].spiffe_id, "spiffe://fr.example");
  EXPECT_EQ(all[1].spiffe_id, "spiffe://kr.example");
}

TEST(CertificateTest, SeveralIdsAreDescribedAsNone) {
  const CertificateAndKey leaf =
      MakeLeafWithUris({"spiffe://fr.example/worker/a", "spiffe://fr.example/worker/b"}, nullptr);

  EXPECT_EQ(DescribeCertificate(leaf.certificate_pem)->spiffe_id, "");
}

TEST(CertificateTest, KeyOfAnotherCertificateDoesNotFit) {
  const CertificateAndKey authority = MakeAuthority("fr.example");
  const CertificateAndKey one = MakeCertificate(authority, std::string(kWorker));
  const CertificateAndKey two = MakeCertificate(authority, std::string(kWorker));

  EXPECT_THAT(CheckKeyFits(one.certificate_pem, two.private_key_pem),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("does not belong to the certificate \"O = worker, CN = gpu-1\"")));
}

TEST(CertificateTest, PrivateKeyIsReadableByItsOwnerOnly) {
  const TempFolder folder;
  const CertificateAndKey authority = MakeAuthority("fr.example");

  ASSERT_THAT(WritePrivateKey(folder.File("ca.key"), authority.private_key_pem), IsOk());

  struct stat info = {};
  ASSERT_EQ(stat(folder.File("ca.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  PosixFileSystem files;
  EXPECT_EQ(*ReadTextFile(files, folder.File("ca.key"), 1 << 20), authority.private_key_pem);
}

TEST(CertificateTest, PrivateKeyIsNeverOverwritten) {
  const TempFolder folder;
  const std::string path = folder.Write("ca.key", "precious");

  EXPECT_THAT(WritePrivateKey(path, "new"),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(path)));

  PosixFileSystem files;
  EXPECT_EQ(*ReadTextFile(files, path, 100), "precious");
}

TEST(CertificateTest, PrivateKeyNeedsItsFolder) {
  const TempFolder folder;

  EXPECT_THAT(WritePrivateKey(folder.File("missing/ca.key"), "key"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("missing/ca.key")));
}

}  // namespace
}  // namespace entente
