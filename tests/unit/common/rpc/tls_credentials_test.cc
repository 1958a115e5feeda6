// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/tls_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/common/identity/test_certificates.h"
#include "tests/unit/common/rpc/loopback.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

class TlsCredentialsTest : public ::testing::Test {
 protected:
  TlsPaths ServerFiles() {
    return WriteTlsFiles(
        folder_, "server",
        MakeCertificate(alliance_, "spiffe://alliance.example/coordinator/main", now_),
        lab_.certificate_pem);
  }
  TlsPaths WorkerFiles() {
    return WriteTlsFiles(folder_, "worker", worker_, alliance_.certificate_pem);
  }

  const absl::Time now_ = RealNow();
  const TempFolder folder_;
  const CertificateAndKey alliance_ = MakeAuthority("alliance.example", now_);
  const CertificateAndKey lab_ = MakeAuthority("fr.example", now_);
  const CertificateAndKey worker_ = MakeCertificate(lab_, "spiffe://fr.example/worker/a", now_);
};

TEST_F(TlsCredentialsTest, GoodFilesPassTheCheck) {
  EXPECT_THAT(CheckTlsFiles(WorkerFiles(), now_), IsOk());
}

TEST_F(TlsCredentialsTest, MissingFilesAreNamed) {
  for (std::string TlsPaths::*field :
       {&TlsPaths::certificate, &TlsPaths::private_key, &TlsPaths::authority}) {
    TlsPaths paths = WorkerFiles();
    paths.*field = folder_.File("missing.pem");
    EXPECT_THAT(CheckTlsFiles(paths, now_),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr("missing.pem")));
    (paths.*field).clear();
    EXPECT_THAT(CheckTlsFiles(paths, now_), StatusIs(kInvalid, HasSubstr("no file is named")));
    paths.*field = folder_.path();
    EXPECT_THAT(CheckTlsFiles(paths, now_), StatusIs(kInvalid, HasSubstr("not a regular file")));
  }
}

TEST_F(TlsCredentialsTest, GarbageIsNamed) {
  for (std::string TlsPaths::*field :
       {&TlsPaths::certificate, &TlsPaths::private_key, &TlsPaths::authority}) {
    TlsPaths paths = WorkerFiles();
    paths.*field = folder_.Write("garbage.pem", "garbage");
    ASSERT_EQ(chmod((paths.*field).c_str(), 0600), 0);
    EXPECT_THAT(CheckTlsFiles(paths, now_),
                StatusIs(kInvalid, AllOf(HasSubstr("garbage.pem: "), HasSubstr("no PEM"))));
  }
}

TEST_F(TlsCredentialsTest, KeyOfAnotherCertificateIsRefused) {
  TlsPaths paths = WorkerFiles();
  paths.private_key = ServerFiles().private_key;

  EXPECT_THAT(CheckTlsFiles(paths, now_),
              StatusIs(kInvalid, AllOf(HasSubstr("server.key"), HasSubstr("does not belong"))));
}

TEST_F(TlsCredentialsTest, ExpiredCertificateIsRefusedNamingTheDate) {
  EXPECT_THAT(CheckTlsFiles(WorkerFiles(), now_ + absl::Hours(25)),
              StatusIs(kInvalid, AllOf(HasSubstr("worker.pem"), HasSubstr("expired at 20"))));
}

TEST_F(TlsCredentialsTest, CertificateOfTheFutureIsRefused) {
  EXPECT_THAT(CheckTlsFiles(WorkerFiles(), now_ - absl::Hours(1)),
              StatusIs(kInvalid, HasSubstr("is this machine's clock right?")));
}

TEST_F(TlsCredentialsTest, KeyThatOthersCanReadIsRefused) {
  const TlsPaths paths = WorkerFiles();
  ASSERT_EQ(chmod(paths.private_key.c_str(), 0644), 0);

  EXPECT_THAT(CheckTlsFiles(paths, now_),
              StatusIs(kInvalid, HasSubstr("chmod 600 " + paths.private_key)));
}

TEST_F(TlsCredentialsTest, KeyThatItsGroupCanReadIsAccepted) {
  const TlsPaths paths = WorkerFiles();
  ASSERT_EQ(chmod(paths.private_key.c_str(), 0640), 0);

  EXPECT_THAT(CheckTlsFiles(paths, now_), IsOk());
}

TEST_F(TlsCredentialsTest, CertificateOfAnotherRoleIsNamedWithBoth) {
  const TlsPaths paths = WorkerFiles();

  EXPECT_THAT(CheckCertificateRole(paths.certificate, Role::kWorker), IsOk());
  EXPECT_THAT(
      CheckCertificateRole(paths.certificate, Role::kCoordinator),
      StatusIs(kInvalid, HasSubstr(paths.certificate + " is for the role worker, and the role "
                                                       "coordinator is needed here")));
}

TEST_F(TlsCredentialsTest, LeafInPlaceOfTheAuthorityIsRefused) {
  TlsPaths paths = WorkerFiles();
  paths.authority = paths.certificate;

  EXPECT_THAT(CheckTlsFiles(paths, now_), StatusIs(kInvalid, HasSubstr("is not an authority's")));
}

TEST_F(TlsCredentialsTest, ExpiredAuthorityIsFineBesideAValidOne) {
  const absl::Time then = now_ - absl::Hours(24 * 3651);
  const std::string old = MakeAuthority("alliance.example", then).certificate_pem;
  TlsPaths paths = WorkerFiles();

  paths.authority = folder_.Write("old.pem", old);
  EXPECT_THAT(CheckTlsFiles(paths, now_), StatusIs(kInvalid, HasSubstr("old.pem")));
  paths.authority = folder_.Write("both.pem", alliance_.certificate_pem + old);
  EXPECT_THAT(CheckTlsFiles(paths, now_), IsOk());
}

TEST_F(TlsCredentialsTest, BothSidesSeeEachOthersCertificate) {
  LoopbackServer server(ServerTls(ServerFiles()));
  std::string server_certificate;

  const grpc::Status status =
      Call(DialCoordinator(server.target(), WorkerFiles()), &server_certificate);

  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(server.last_peer(), worker_.certificate_pem);
  EXPECT_EQ(DescribeCertificate(server_certificate)->spiffe_id,
            "spiffe://alliance.example/coordinator/main");
}

TEST_F(TlsCredentialsTest, ClientWithoutACertificateIsRefused) {
  LoopbackServer server(ServerTls(ServerFiles()));
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = alliance_.certificate_pem;

  const grpc::Status status =
      Call(grpc::CreateChannel(server.target(), grpc::SslCredentials(options)));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(server.last_peer(), "");
}

TEST_F(TlsCredentialsTest, ClientInTheClearIsRefused) {
  LoopbackServer server(ServerTls(ServerFiles()));

  const grpc::Status status =
      Call(grpc::CreateChannel(server.target(), grpc::InsecureChannelCredentials()));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsCredentialsTest, ClientFromAnotherAuthorityIsRefused) {
  LoopbackServer server(ServerTls(ServerFiles()));
  const CertificateAndKey stranger =
      MakeCertificate(MakeAuthority("fr.example", now_), "spiffe://fr.example/worker/a", now_);

  const grpc::Status status = Call(DialCoordinator(
      server.target(), WriteTlsFiles(folder_, "stranger", stranger, alliance_.certificate_pem)));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(server.last_peer(), "");
}

TEST_F(TlsCredentialsTest, ServerFromAnotherAuthorityIsRefused) {
  LoopbackServer server(ServerTls(ServerFiles()));

  const grpc::Status status = Call(DialCoordinator(
      server.target(), WriteTlsFiles(folder_, "worker", worker_, lab_.certificate_pem)));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(server.last_peer(), "");
}

TEST_F(TlsCredentialsTest, ServerWithAnotherHostNameIsRefused) {
  ASSERT_OK_AND_ASSIGN(const CertificateAndKey elsewhere,
                       IssueCertificate(alliance_,
                                        {.spiffe_id = "spiffe://alliance.example/coordinator/main",
                                         .dns_names = {"coordinator.alliance.example"},
                                         .ip_addresses = {},
                                         .validity = absl::Hours(1)},
                                        now_));
  LoopbackServer server(
      ServerTls(WriteTlsFiles(folder_, "elsewhere", elsewhere, lab_.certificate_pem)));

  const grpc::Status status = Call(DialCoordinator(server.target(), WorkerFiles()));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(server.last_peer(), "");
}

TEST_F(TlsCredentialsTest, ReplacedFilesArePickedUp) {
  LoopbackServer server(ServerTls(ServerFiles(), absl::Seconds(1)));
  const TlsPaths worker_files = WorkerFiles();
  std::string before;
  ASSERT_TRUE(Call(DialCoordinator(server.target(), worker_files), &before).ok());

  ServerFiles();  // A new key and certificate over the old ones.

  std::string after = before;
  const auto is_shown = [&] {
    static_cast<void>(Call(DialCoordinator(server.target(), worker_files), &after));
    return !after.empty() && after != before;
  };
  ASSERT_TRUE(Eventually(is_shown, absl::Milliseconds(50)));
  EXPECT_EQ(DescribeCertificate(after)->spiffe_id, "spiffe://alliance.example/coordinator/main");
}

// Or its old certificate would expire on a connection that is never closed.
TEST_F(TlsCredentialsTest, AReplacedCertificateIsShownOnAChannelThatIsInUse) {
  LoopbackServer server(ServerTls(ServerFiles()), /*connection_age_max=*/absl::Milliseconds(200));
  const auto channel =
      grpc::CreateChannel(server.target(), ClientTls(WorkerFiles(), absl::Seconds(1)));
  ASSERT_TRUE(Call(channel).ok());
  ASSERT_EQ(server.last_peer(), worker_.certificate_pem);

  const CertificateAndKey renewed = MakeCertificate(lab_, "spiffe://fr.example/worker/a", now_);
  WriteTlsFiles(folder_, "worker", renewed, alliance_.certificate_pem);

  const auto is_shown = [&] {
    EXPECT_TRUE(Call(channel).ok());
    return server.last_peer() == renewed.certificate_pem;
  };
  EXPECT_TRUE(Eventually(is_shown, absl::Milliseconds(50)));
}

}  // namespace
}  // namespace entente
