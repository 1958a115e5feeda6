// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/connection_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/identity/certificate.h"
#include "tests/support/temp_folder.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Finding ClockFinding(absl::Duration ahead, absl::Duration uncertainty = absl::ZeroDuration()) {
  Examination examination;
  CheckClock(ahead, uncertainty, &examination);
  return examination.findings()[0];
}

TEST(ConnectionChecksTest, ClocksThatAgreeAreWell) {
  EXPECT_EQ(ClockFinding(absl::Milliseconds(300)).verdict, Verdict::kOk);
  EXPECT_EQ(ClockFinding(absl::Seconds(-2)).verdict, Verdict::kOk);
}

TEST(ConnectionChecksTest, SlowWayIsNoSkew) {
  EXPECT_EQ(ClockFinding(absl::Seconds(5), absl::Seconds(4)).verdict, Verdict::kOk);
}

TEST(ConnectionChecksTest, SecondsAreWarnedAboutAndMinutesFail) {
  EXPECT_EQ(ClockFinding(absl::Seconds(7)).verdict, Verdict::kWarn);
  EXPECT_THAT(ClockFinding(absl::Seconds(7)).seen, HasSubstr("7 s behind the coordinator's"));
  EXPECT_EQ(ClockFinding(absl::Minutes(-3)).verdict, Verdict::kFail);
  EXPECT_THAT(ClockFinding(absl::Minutes(-3)).seen,
              HasSubstr("3 min 00 s ahead of the coordinator's"));
  EXPECT_THAT(ClockFinding(absl::Minutes(-3)).fix, HasSubstr("NTP"));
}

class CertificateChecksTest : public testing::Test {
 protected:
  static constexpr absl::Duration kYear = absl::Hours(24 * 365);

  // An authority, and a submitter's certificate of its own, valid for as long.
  TlsPaths Issue(absl::Duration validity) {
    const CertificateAndKey authority =
        CreateAuthority(
            {.trust_domain = "alliance.example", .display_name = "Alliance", .validity = kYear},
            issued_)
            .value();
    const CertificateAndKey own =
        IssueCertificate(authority,
                         {.spiffe_id = "spiffe://alliance.example/submitter/me",
                          .dns_names = {},
                          .ip_addresses = {},
                          .validity = validity},
                         issued_)
            .value();
    folder_.Write("authority.crt", authority.certificate_pem);
    folder_.Write("me.crt", own.certificate_pem);
    EXPECT_TRUE(WritePrivateKey(folder_.File("me.key"), own.private_key_pem).ok());
    return {.certificate = folder_.File("me.crt"),
            .private_key = folder_.File("me.key"),
            .authority = folder_.File("authority.crt")};
  }

  Finding Identity(const TlsPaths& paths, absl::Time now) {
    Examination examination;
    CheckIdentityFiles(files_, paths, now, &examination);
    return examination.findings()[0];
  }

  Finding Authority(const std::string& path, absl::Time now) {
    Examination examination;
    CheckAuthorityFile(files_, path, "fr-lab", now, &examination);
    return examination.findings()[0];
  }

  const absl::Time issued_ = absl::FromUnixSeconds(1'772'366'400);
  PosixFileSystem files_;
  TempFolder folder_;
};

TEST_F(CertificateChecksTest, NewCertificateIsWell) {
  EXPECT_EQ(Identity(Issue(kYear), issued_).verdict, Verdict::kOk);
}

TEST_F(CertificateChecksTest, NewShortLivedCertificateIsWellToo) {
  EXPECT_EQ(Identity(Issue(absl::Hours(1)), issued_).verdict, Verdict::kOk);
}

TEST_F(CertificateChecksTest, CertificateThatEndsSoonIsWarnedAbout) {
  const Finding finding = Identity(Issue(absl::Hours(24 * 90)), issued_ + absl::Hours(24 * 80));

  EXPECT_EQ(finding.verdict, Verdict::kWarn);
  EXPECT_THAT(finding.seen, HasSubstr("valid for 10 d 0 h only"));
}

TEST_F(CertificateChecksTest, ExpiredCertificateFails) {
  const Finding finding = Identity(Issue(absl::Hours(1)), issued_ + absl::Hours(2));

  EXPECT_EQ(finding.verdict, Verdict::kFail);
  EXPECT_THAT(finding.seen, AllOf(HasSubstr("me.crt"), HasSubstr("expired")));
}

TEST_F(CertificateChecksTest, MissingFileFails) {
  TlsPaths paths = Issue(kYear);
  paths.private_key = folder_.File("nowhere.key");

  EXPECT_EQ(Identity(paths, issued_).verdict, Verdict::kFail);
  EXPECT_THAT(Identity(paths, issued_).seen, HasSubstr("nowhere.key"));
}

TEST_F(CertificateChecksTest, AuthorityIsWellThenEndsSoonThenHasExpired) {
  const std::string path = Issue(kYear).authority;

  EXPECT_EQ(Authority(path, issued_).verdict, Verdict::kOk);
  EXPECT_EQ(Authority(path, issued_ + absl::Hours(24 * 350)).verdict, Verdict::kWarn);
  EXPECT_EQ(Authority(path, issued_ + kYear + absl::Hours(1)).verdict, Verdict::kFail);
  EXPECT_THAT(Authority(path, issued_ + kYear + absl::Hours(1)).seen,
              AllOf(HasSubstr("fr-lab: spiffe://alliance.example"), HasSubstr("expired at")));
  EXPECT_EQ(Authority(folder_.File("nowhere.crt"), issued_).verdict, Verdict::kFail);
}

}  // namespace
}  // namespace entente::cli
