// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/listen_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "common/http/listening_socket.h"
#include "common/identity/certificate.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ListenChecksTest : public ::testing::Test {
 protected:
  ListenChecksTest() {
    section_.set_listen("127.0.0.1:0");
    const CertificateAndKey authority = CreateAuthority({.trust_domain = "alliance.example",
                                                         .display_name = "Alliance",
                                                         .validity = absl::Hours(24 * 365)},
                                                        clock_.Now())
                                            .value();
    folder_.Write("authority.crt", authority.certificate_pem);
    Issue(authority, "http");
    Issue(authority, "other");
  }

  // Valid for 90 days.
  void Issue(const CertificateAndKey& authority, const std::string& name) {
    const CertificateAndKey made =
        IssueCertificate(authority,
                         {.spiffe_id = "spiffe://alliance.example/coordinator/c",
                          .dns_names = {"localhost"},
                          .ip_addresses = {},
                          .validity = absl::Hours(24 * 90)},
                         clock_.Now())
            .value();
    folder_.Write(name + ".crt", made.certificate_pem);
    EXPECT_THAT(WritePrivateKey(folder_.File(name + ".key"), made.private_key_pem), IsOk());
  }

  void UseTls() {
    section_.mutable_tls()->set_certificate(folder_.File("http.crt"));
    section_.mutable_tls()->set_private_key(folder_.File("http.key"));
  }

  std::vector<Finding> Findings() {
    Examination examination;
    CheckHttpSection(files_, clock_, section_, authorities_, "coordinator", &examination);
    return examination.findings();
  }
  Finding TheFinding() {
    const std::vector<Finding> findings = Findings();
    EXPECT_EQ(findings.size(), 1u);
    return findings.empty() ? Finding() : findings.front();
  }

  const TempFolder folder_;
  PosixFileSystem files_;
  SimulatedClock clock_;
  config::v1::Http section_;
  std::vector<BrowserAuthority> authorities_;
};

TEST_F(ListenChecksTest, PortIsFreeOrTaken) {
  std::string listen;
  {
    ASSERT_OK_AND_ASSIGN(const http::ListeningSocket listener,
                         http::ListeningSocket::Open("127.0.0.1:0"));
    listen = absl::StrCat("127.0.0.1:", listener.port());
    Examination examination;
    CheckListen(listen, "coordinator", &examination);
    EXPECT_EQ(examination.findings()[0].seen,
              absl::StrCat(listen, " is taken: by this coordinator, if it runs"));
    section_.set_listen(listen);
    EXPECT_EQ(TheFinding().seen,
              absl::StrCat(listen, " is taken: by this coordinator, if it runs"));
  }
  Examination examination;
  CheckListen("127.0.0.1:0", "worker", &examination);
  EXPECT_THAT(examination.findings()[0].seen, HasSubstr("a free one is picked at each start"));
}

TEST_F(ListenChecksTest, HttpThatIsOffIsNotLookedAt) {
  section_.set_listen("off");

  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(ListenChecksTest, PlainHttpForThisMachineIsWell) {
  EXPECT_EQ(TheFinding().verdict, Verdict::kOk);
  EXPECT_EQ(TheFinding().name, "http");
}

TEST_F(ListenChecksTest, HttpThatOthersReachNeedsTlsAndAWayToKnowThem) {
  section_.set_listen("0.0.0.0:0");
  EXPECT_EQ(TheFinding().verdict, Verdict::kFail);
  EXPECT_THAT(TheFinding().seen, HasSubstr("which other machines can reach"));

  UseTls();
  EXPECT_EQ(TheFinding().verdict, Verdict::kFail);

  authorities_ = {{.trust_domain = "", .path = folder_.File("authority.crt")}};
  EXPECT_EQ(TheFinding().verdict, Verdict::kOk) << TheFinding().seen;

  authorities_[0].trust_domain = "other.example";
  EXPECT_EQ(TheFinding().verdict, Verdict::kFail);
  EXPECT_THAT(TheFinding().seen, HasSubstr("other.example"));
}

TEST_F(ListenChecksTest, TokenThatOthersMayReadFails) {
  section_.set_token_file(folder_.Write("token", "0123456789abcdef0123456789abcdef\n"));
  chmod(section_.token_file().c_str(), 0644);
  EXPECT_EQ(TheFinding().verdict, Verdict::kFail);
  EXPECT_THAT(TheFinding().seen, HasSubstr("other users may read or change this token"));
  EXPECT_THAT(TheFinding().fix, HasSubstr("run chmod 600"));

  chmod(section_.token_file().c_str(), 0600);
  EXPECT_EQ(TheFinding().verdict, Verdict::kOk) << TheFinding().seen;
}

TEST_F(ListenChecksTest, CertificateIsWellThenEndsSoonThenHasExpired) {
  UseTls();
  EXPECT_EQ(TheFinding().verdict, Verdict::kOk) << TheFinding().seen;
  EXPECT_THAT(TheFinding().seen,
              AllOf(HasSubstr("with a certificate valid for"), Not(HasSubstr("only"))));

  clock_.Advance(absl::Hours(24 * 80));
  EXPECT_EQ(TheFinding().verdict, Verdict::kWarn);
  EXPECT_THAT(TheFinding().seen, HasSubstr("valid for 10 d 0 h only"));

  clock_.Advance(absl::Hours(24 * 11));
  EXPECT_EQ(TheFinding().verdict, Verdict::kFail);
  EXPECT_THAT(TheFinding().seen, AllOf(HasSubstr("http.crt"), HasSubstr("expired at")));
}

TEST_F(ListenChecksTest, KeyOfAnotherCertificateAndAMissingAuthorityFail) {
  UseTls();
  section_.mutable_tls()->set_private_key(folder_.File("other.key"));
  EXPECT_EQ(TheFinding().verdict, Verdict::kFail);
  EXPECT_THAT(TheFinding().seen, HasSubstr("other.key"));

  UseTls();
  authorities_ = {{.trust_domain = "alliance.example", .path = folder_.File("nowhere.crt")}};
  EXPECT_EQ(TheFinding().verdict, Verdict::kFail);
  EXPECT_THAT(TheFinding().seen, HasSubstr("nowhere.crt"));
}

}  // namespace
}  // namespace entente::cli
