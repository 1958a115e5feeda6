// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/connection_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <csignal>
#include <memory>
#include <string>

#include "common/identity/x509.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/common/identity/test_certificates.h"
#include "tests/unit/common/rpc/loopback.h"
#include "tests/unit/common/rpc/plain_listener.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kUnavailable = absl::StatusCode::kUnavailable;
constexpr auto kUnauthenticated = absl::StatusCode::kUnauthenticated;
constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr char kCoordinator[] = "spiffe://alliance.example/coordinator/main";

// How a server that is not gRPC's shakes hands.
struct TlsServerOptions {
  TlsPaths paths;
  int version_max = TLS1_3_VERSION;
  absl::Time now;  // By its clock.
  bool speaks_http2 = true;
};

int ChooseHttp2(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int, void*) {
  *out = in + 1;  // The first one offered.
  *out_size = in[0];
  return SSL_TLSEXT_ERR_OK;
}

// One handshake that asks for a certificate and, unlike gRPC 1.51, says why it refuses one.
void ShakeHands(int fd, const TlsServerOptions& options) {
  sigset_t broken_pipe;  // For this thread only: the probe must do without.
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  const std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>> context(
      SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_max_proto_version(context.get(), options.version_max);
  SSL_CTX_use_certificate_chain_file(context.get(), options.paths.certificate.c_str());
  SSL_CTX_use_PrivateKey_file(context.get(), options.paths.private_key.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_load_verify_file(context.get(), options.paths.authority.c_str());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context.get()), absl::ToTimeT(options.now));
  if (options.speaks_http2) SSL_CTX_set_alpn_select_cb(context.get(), ChooseHttp2, nullptr);
  const std::unique_ptr<SSL, OpenSslFree<SSL_free>> session(SSL_new(context.get()));
  SSL_set_fd(session.get(), fd);
  SSL_accept(session.get());
}

class ConnectionProbeTest : public ::testing::Test {
 protected:
  absl::Status Probe(const std::string& target) {
    return ProbeConnection(target, worker_files_, now_, kTimeout);
  }
  TlsPaths ServerFiles(const CertificateAndKey& certificate) {
    return WriteTlsFiles(folder_, "server", certificate, lab_.certificate_pem);
  }
  TlsPaths ServerFiles() { return ServerFiles(MakeCertificate(alliance_, kCoordinator, now_)); }
  TlsPaths ServerFilesForStrangers() {
    return WriteTlsFiles(folder_, "server", MakeCertificate(alliance_, kCoordinator, now_),
                         MakeAuthority("kr.example", now_).certificate_pem);
  }

  const absl::Time now_ = RealNow();
  const TempFolder folder_;
  const CertificateAndKey alliance_ = MakeAuthority("alliance.example", now_);
  const CertificateAndKey lab_ = MakeAuthority("fr.example", now_);
  const TlsPaths worker_files_ =
      WriteTlsFiles(folder_, "worker", MakeCertificate(lab_, "spiffe://fr.example/worker/a", now_),
                    alliance_.certificate_pem);
};

TEST_F(ConnectionProbeTest, GoodConnectionIsOk) {
  const LoopbackServer server(ServerTls(ServerFiles()));

  EXPECT_THAT(Probe(server.target()), IsOk());
  EXPECT_THAT(Probe(absl::StrCat("localhost:", server.port())), IsOk());
}

TEST_F(ConnectionProbeTest, ProgressSaysHowFarItCame) {
  const auto progress_at = [this](const std::string& target) {
    ProbeProgress progress = {.connected = true, .encrypted = true};
    ProbeConnection(target, worker_files_, now_, kTimeout, &progress).IgnoreError();
    return progress;
  };
  EXPECT_FALSE(progress_at("nonsense").connected);
  EXPECT_FALSE(progress_at(RefusingTarget()).connected);
  {
    const LoopbackServer server(ServerTls(ServerFiles()));
    EXPECT_TRUE(progress_at(server.target()).connected);
    EXPECT_TRUE(progress_at(server.target()).encrypted);
  }
  const LoopbackServer stranger(ServerTls(ServerFiles(MakeCertificate(
      MakeAuthority("mallory.example", now_), "spiffe://mallory.example/coordinator/main", now_))));
  EXPECT_TRUE(progress_at(stranger.target()).connected);
  EXPECT_FALSE(progress_at(stranger.target()).encrypted);
}

TEST_F(ConnectionProbeTest, SilenceAfterTheHandshakeIsOk) {
  const TlsServerOptions options = {.paths = ServerFiles(), .now = now_};
  absl::Notification done;
  const PlainListener listener([&](int fd) {
    ShakeHands(fd, options);
    done.WaitForNotificationWithTimeout(kTimeout);
  });

  EXPECT_THAT(Probe(listener.target()), IsOk());
  done.Notify();
}

TEST_F(ConnectionProbeTest, MalformedTargetIsRefused) {
  EXPECT_THAT(Probe("coordinator"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not host:port")));
}

TEST_F(ConnectionProbeTest, OwnExpiredCertificateIsFoundBeforeDialling) {
  EXPECT_THAT(ProbeConnection(RefusingTarget(), worker_files_, now_ + absl::Hours(25), kTimeout),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("worker.pem"), HasSubstr("expired at"))));
}

TEST_F(ConnectionProbeTest, UnknownNameIsNotFound) {
  EXPECT_THAT(ProbeConnection("no-such-host.invalid:7443", worker_files_, now_, absl::Seconds(30)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("does not resolve")));
}

TEST_F(ConnectionProbeTest, ClosedPortIsUnavailable) {
  EXPECT_THAT(Probe(RefusingTarget()),
              StatusIs(kUnavailable, HasSubstr("is the coordinator running there")));
}

TEST_F(ConnectionProbeTest, ServerThatSaysNothingIsUnavailable) {
  const PlainListener listener(nullptr);

  EXPECT_THAT(ProbeConnection(listener.target(), worker_files_, now_, absl::Milliseconds(100)),
              StatusIs(kUnavailable, HasSubstr("does not answer a TLS handshake in time")));
}

TEST_F(ConnectionProbeTest, ServerWithoutTlsIsUnavailable) {
  const PlainListener listener([](int fd) {
    constexpr char kAnswer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    send(fd, kAnswer, sizeof(kAnswer) - 1, 0);
  });

  EXPECT_THAT(Probe(listener.target()), StatusIs(kUnavailable, HasSubstr("does not speak TLS")));
}

TEST_F(ConnectionProbeTest, ServerThatHangsUpIsUnavailable) {
  const PlainListener listener([](int) {});

  EXPECT_THAT(Probe(listener.target()),
              StatusIs(kUnavailable, HasSubstr("closes the connection in the TLS handshake")));
}

TEST_F(ConnectionProbeTest, ServerWithoutHttp2IsUnavailable) {
  const TlsServerOptions options = {.paths = ServerFiles(), .now = now_, .speaks_http2 = false};
  const PlainListener listener([&](int fd) { ShakeHands(fd, options); });

  EXPECT_THAT(Probe(listener.target()), StatusIs(kUnavailable, HasSubstr("TLS but not gRPC")));
}

TEST_F(ConnectionProbeTest, ServerFromAnotherAuthorityIsRefused) {
  const LoopbackServer server(ServerTls(ServerFiles(MakeCertificate(
      MakeAuthority("mallory.example", now_), "spiffe://mallory.example/coordinator/main", now_))));

  EXPECT_THAT(Probe(server.target()),
              StatusIs(kUnauthenticated,
                       AllOf(HasSubstr("issued by \"CN = Authority of mallory.example\""),
                             HasSubstr("\"CN = Authority of alliance.example\" should have"),
                             HasSubstr("get the coordinator's authority file"))));
}

TEST_F(ConnectionProbeTest, ServerWithAnExpiredCertificateIsRefusedNamingTheDate) {
  const absl::Time then = now_ - absl::Hours(48);
  const CertificateAndKey authority = MakeAuthority("alliance.example", then);
  const TlsPaths paths =
      WriteTlsFiles(folder_, "worker", MakeCertificate(lab_, "spiffe://fr.example/worker/a", now_),
                    authority.certificate_pem);
  const LoopbackServer server(
      ServerTls(ServerFiles(MakeCertificate(authority, kCoordinator, then))));

  EXPECT_THAT(
      ProbeConnection(server.target(), paths, now_, kTimeout),
      StatusIs(kUnauthenticated, AllOf(HasSubstr(absl::StrCat("its certificate expired at ",
                                                              TimeText(then + absl::Hours(24)))),
                                       HasSubstr("ask the coordinator's operator to renew it"))));
}

TEST_F(ConnectionProbeTest, ServerWithAnotherNameIsRefusedNamingItsOwn) {
  ASSERT_OK_AND_ASSIGN(const CertificateAndKey elsewhere,
                       IssueCertificate(alliance_,
                                        {.spiffe_id = kCoordinator,
                                         .dns_names = {"coordinator.alliance.example"},
                                         .ip_addresses = {},
                                         .validity = absl::Hours(1)},
                                        now_));
  const LoopbackServer server(ServerTls(ServerFiles(elsewhere)));

  EXPECT_THAT(Probe(server.target()),
              StatusIs(kUnauthenticated,
                       HasSubstr("its certificate is for coordinator.alliance.example; dial one")));
}

TEST_F(ConnectionProbeTest, CoordinatorThatDoesNotKnowOurAuthorityIsToldApart) {
  const LoopbackServer server(ServerTls(ServerFilesForStrangers()));

  EXPECT_THAT(
      Probe(server.target()),
      StatusIs(kUnauthenticated, AllOf(HasSubstr("our certificate spiffe://fr.example/worker/a"),
                                       HasSubstr("\"CN = Authority of fr.example\""),
                                       HasSubstr("ask its operator"))));
}

TEST_F(ConnectionProbeTest, AlertAboutOurAuthorityIsExplained) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsServerOptions options = {
        .paths = ServerFilesForStrangers(), .version_max = version, .now = now_};
    const PlainListener listener([&](int fd) { ShakeHands(fd, options); });

    EXPECT_THAT(Probe(listener.target()),
                StatusIs(kUnauthenticated, HasSubstr("it does not know our authority \"CN = "
                                                     "Authority of fr.example\"")))
        << version;
  }
}

TEST_F(ConnectionProbeTest, AlertThatOurCertificateHasExpiredIsExplained) {
  const TlsServerOptions options = {.paths = ServerFiles(), .now = now_ + absl::Hours(25)};
  const PlainListener listener([&](int fd) { ShakeHands(fd, options); });

  EXPECT_THAT(Probe(listener.target()),
              StatusIs(kUnauthenticated, AllOf(HasSubstr("for it, it has expired"),
                                               HasSubstr("compare the clocks"))));
}

TEST_F(ConnectionProbeTest, AlertThatOurCertificateIsOfTheFutureIsExplained) {
  const TlsServerOptions options = {.paths = ServerFiles(), .now = now_ - absl::Hours(1)};
  const PlainListener listener([&](int fd) { ShakeHands(fd, options); });

  EXPECT_THAT(Probe(listener.target()),
              StatusIs(kUnauthenticated, HasSubstr("is it valid yet by its clock")));
}

}  // namespace
}  // namespace entente
