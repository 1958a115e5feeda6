// SPDX-License-Identifier: Apache-2.0
#include "common/http/http_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "absl/strings/escaping.h"
#include "common/http/http_limits.h"
#include "common/identity/certificate.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::http {
namespace {

using ::absl::StatusCode;
using ::testing::HasSubstr;

constexpr char kToken[] = "0123456789abcdef";

class HttpAccessTest : public ::testing::Test {
 protected:
  HttpAccessTest() {
    alliance_ = Authority("alliance.example");
    member_ = Authority("fr-lab.example");
    std::vector<TrustStore::Authority> authorities;
    authorities.push_back({"alliance.example",
                           alliance_.certificate_pem,
                           {Role::kOperator, Role::kSubmitter, Role::kObserver}});
    authorities.push_back({"fr-lab.example",
                           member_.certificate_pem,
                           {Role::kWorker, Role::kSubmitter, Role::kObserver}});
    trust_ = *TrustStore::Create(std::move(authorities));
  }

  CertificateAndKey Authority(const std::string& domain) {
    return *CreateAuthority(
        {.trust_domain = domain, .display_name = "A", .validity = absl::Hours(1000)}, clock_.Now());
  }
  std::string CertificateOf(const CertificateAndKey& authority, const std::string& id) {
    return IssueCertificate(authority, {.spiffe_id = id, .validity = absl::Hours(24)}, clock_.Now())
        ->certificate_pem;
  }

  std::string WriteToken(const std::string& token) {
    const std::string path = folder_.Write("token", token);
    chmod(path.c_str(), 0600);
    return path;
  }

  std::unique_ptr<HttpAccess> Access(const std::string& token_file, bool takes_certificates) {
    return *HttpAccess::Create({.token_file = token_file,
                                .trust = takes_certificates ? trust_.get() : nullptr,
                                .member_of =
                                    [](const PeerIdentity& identity) {
                                      return identity.trust_domain == "fr-lab.example" ? "fr-lab"
                                                                                       : "";
                                    },
                                .clock = &clock_,
                                .files = &files_});
  }

  SimulatedClock clock_;
  PosixFileSystem files_;
  TempFolder folder_;
  CertificateAndKey alliance_;
  CertificateAndKey member_;
  std::unique_ptr<TrustStore> trust_;
};

TEST_F(HttpAccessTest, CertificatesSayWhoItIs) {
  const auto access = Access("", true);
  const auto kind_of = [&](const std::string& pem) {
    return access->ViewerOf({.host = "c.example", .chain_pem = pem})->kind;
  };
  EXPECT_EQ(kind_of(""), Viewer::Kind::kPublic);
  EXPECT_EQ(kind_of(CertificateOf(alliance_, "spiffe://alliance.example/operator/o")),
            Viewer::Kind::kOperator);
  EXPECT_EQ(kind_of(CertificateOf(alliance_, "spiffe://alliance.example/observer/o")),
            Viewer::Kind::kOperator);
  EXPECT_EQ(kind_of(CertificateOf(alliance_, "spiffe://alliance.example/submitter/s")),
            Viewer::Kind::kMember);
  const auto observer =
      access->ViewerOf({.host = "c.example",
                        .chain_pem = CertificateOf(member_, "spiffe://fr-lab.example/observer/o")});
  ASSERT_THAT(observer, IsOk());
  EXPECT_EQ(observer->kind, Viewer::Kind::kMember);
  EXPECT_EQ(observer->member, "fr-lab");
}

TEST_F(HttpAccessTest, MembersAuthorityCannotMakeAnOperator) {
  const auto access = Access("", true);
  const std::string pem = CertificateOf(member_, "spiffe://fr-lab.example/operator/o");
  EXPECT_THAT(access->ViewerOf({.host = "c", .chain_pem = pem}),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST_F(HttpAccessTest, ExpiredCertificateIsRefused) {
  const auto access = Access("", true);
  const std::string pem = CertificateOf(alliance_, "spiffe://alliance.example/operator/o");
  clock_.Advance(absl::Hours(25));
  EXPECT_THAT(access->ViewerOf({.host = "c", .chain_pem = pem}),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("expired")));
}

TEST_F(HttpAccessTest, TokenIsTakenAsBearerAndAsPassword) {
  const auto access = Access(WriteToken(kToken), false);
  EXPECT_EQ(access->ViewerOf({.authorization = absl::StrCat("Bearer ", kToken)})->kind,
            Viewer::Kind::kOperator);
  const std::string basic = absl::Base64Escape(absl::StrCat("anybody:", kToken));
  EXPECT_EQ(access->ViewerOf({.authorization = "Basic " + basic})->kind, Viewer::Kind::kOperator);
  for (const std::string wrong : {"Bearer", "Bearer ", "Bearer x", "Basic %%", "Digest y", "x"}) {
    EXPECT_THAT(access->ViewerOf({.authorization = wrong}), StatusIs(StatusCode::kUnauthenticated))
        << wrong;
  }
}

TEST_F(HttpAccessTest, ReplacedTokenIsNotTakenAnyMore) {
  const auto access = Access(WriteToken(kToken), false);
  WriteToken("another-token-0123456789");
  clock_.Advance(limits::kHttpReloadInterval);
  EXPECT_THAT(access->ViewerOf({.authorization = absl::StrCat("Bearer ", kToken)}),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("not any more")));
  EXPECT_THAT(access->ViewerOf({.authorization = "Bearer another-token-0123456789"}), IsOk());
  std::remove(folder_.File("token").c_str());
  clock_.Advance(limits::kHttpReloadInterval);
  EXPECT_THAT(access->ViewerOf({.authorization = "Bearer another-token-0123456789"}),
              StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(HttpAccessTest, UnfitTokenFilesAreExplained) {
  EXPECT_THAT(ReadToken(files_, WriteToken("short")),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("openssl rand -hex 32")));
  EXPECT_THAT(ReadToken(files_, WriteToken("two words of a token")),
              StatusIs(StatusCode::kInvalidArgument));
  const std::string path = WriteToken(kToken);
  chmod(path.c_str(), 0644);
  EXPECT_THAT(ReadToken(files_, path),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("chmod 600")));
  EXPECT_THAT(ReadToken(files_, folder_.File("none")), StatusIs(StatusCode::kNotFound));
}

TEST_F(HttpAccessTest, WithoutTokenAndCertificatesOnlyThisMachinesNamesCount) {
  const auto access = Access("", false);
  for (const std::string host : {"localhost", "LOCALHOST:7480", "127.0.0.1:1", "[::1]:7480"}) {
    EXPECT_EQ(access->ViewerOf({.host = host})->kind, Viewer::Kind::kOperator) << host;
  }
  for (const std::string host : {"", "evil.example", "127.evil.example", "localhost.evil"}) {
    EXPECT_THAT(access->ViewerOf({.host = host}), StatusIs(StatusCode::kPermissionDenied)) << host;
  }
}

}  // namespace
}  // namespace entente::http
