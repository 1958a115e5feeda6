// SPDX-License-Identifier: Apache-2.0
#include "common/http/tls_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "common/base/clock.h"
#include "common/http/http_server.h"
#include "common/identity/certificate.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/common/http/http_client.h"

namespace entente::http {
namespace {

using ::testing::HasSubstr;

class HttpsTest : public ::testing::Test {
 protected:
  HttpsTest() {
    const absl::Time now = clock_.Now();
    authority_ = *CreateAuthority({.trust_domain = "alliance.example",
                                   .display_name = "Alliance",
                                   .validity = absl::Hours(100)},
                                  now);
    stranger_ = *CreateAuthority(
        {.trust_domain = "alliance.example", .display_name = "S", .validity = absl::Hours(100)},
        now);
    const auto own = IssueCertificate(authority_,
                                      {.spiffe_id = "spiffe://alliance.example/coordinator/c",
                                       .ip_addresses = {"127.0.0.1"},
                                       .validity = absl::Hours(24)},
                                      now);
    paths_ = {.certificate = folder_.Write("c.crt", own->certificate_pem),
              .private_key = folder_.Write("c.key", own->private_key_pem),
              .authority = ""};
    std::vector<TrustStore::Authority> authorities;
    authorities.push_back({"alliance.example", authority_.certificate_pem, {Role::kOperator}});
    trust_ = *TrustStore::Create(std::move(authorities));
  }

  int Start() {
    HttpServer::Options options;
    options.listen = "127.0.0.1:0";
    options.tls = paths_;
    options.trust = trust_.get();
    options.clock = &clock_;
    options.files = &files_;
    options.routes.push_back(
        {.path = "/who", .visible_to = Viewer::Kind::kPublic, .answer = [](const Request& request) {
           return TextResponse(200, ViewerKindName(request.viewer.kind));
         }});
    auto server = HttpServer::Start(std::move(options));
    ENTENTE_CHECK(server.ok());
    server_ = *std::move(server);
    return server_->port();
  }

  // What the server says to a browser with that certificate; empty if there is no handshake.
  std::string Ask(int port, const CertificateAndKey* shown) {
    TlsContextPointer context(SSL_CTX_new(TLS_client_method()));
    if (shown != nullptr) {
      const auto certificates = ParseCertificates(shown->certificate_pem);
      const auto key = ParsePrivateKey(shown->private_key_pem);
      SSL_CTX_use_certificate(context.get(), certificates->front().get());
      SSL_CTX_use_PrivateKey(context.get(), key->get());
    }
    const HttpClient socket(port);
    TlsPointer tls(SSL_new(context.get()));
    SSL_set_fd(tls.get(), socket.descriptor());
    if (SSL_connect(tls.get()) != 1) return "";
    const std::string request = "GET /who HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    if (SSL_write(tls.get(), request.data(), static_cast<int>(request.size())) <= 0) return "";
    std::string answer;
    char buffer[4096];
    int got = 0;
    while ((got = SSL_read(tls.get(), buffer, sizeof(buffer))) > 0) {
      answer.append(buffer, static_cast<size_t>(got));
    }
    ERR_clear_error();
    return answer;
  }

  CertificateAndKey Operator(const CertificateAndKey& authority) {
    return *IssueCertificate(
        authority,
        {.spiffe_id = "spiffe://alliance.example/operator/o", .validity = absl::Hours(24)},
        clock_.Now());
  }

  SystemClock clock_;
  PosixFileSystem files_;
  TempFolder folder_;
  CertificateAndKey authority_;
  CertificateAndKey stranger_;
  TlsPaths paths_;
  std::unique_ptr<TrustStore> trust_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpsTest, CertificateDecidesWhatIsSeen) {
  const int port = Start();
  const CertificateAndKey shown = Operator(authority_);
  EXPECT_THAT(Ask(port, &shown), HasSubstr("\r\n\r\noperator\n"));
  EXPECT_THAT(Ask(port, nullptr), HasSubstr("\r\n\r\npublic\n"));
}

TEST_F(HttpsTest, CertificateOfAnotherAuthorityIsRefused) {
  const int port = Start();
  const CertificateAndKey shown = Operator(stranger_);
  EXPECT_EQ(Ask(port, &shown), "");
}

TEST_F(HttpsTest, PlainHttpOnTheTlsPortIsCut) {
  HttpClient client(Start());
  client.Get("/who");
  EXPECT_THAT(client.ReadAll(), testing::Not(HasSubstr("HTTP/1.1 200")));
}

TEST_F(HttpsTest, KeyThatDoesNotFitIsRefusedAtTheStart) {
  folder_.Write("c.key", authority_.private_key_pem);
  EXPECT_THAT(TlsContext::Create(
                  {.paths = paths_, .authorities_pem = "", .clock = &clock_, .files = &files_}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("c.key")));
}

}  // namespace
}  // namespace entente::http
