// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/peer_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/identity/trust_store.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/common/identity/test_certificates.h"
#include "tests/unit/common/rpc/loopback.h"

namespace entente {
namespace {

class PeerCertificateTest : public ::testing::Test {
 protected:
  const absl::Time now_ = RealNow();
  const TempFolder folder_;
  const CertificateAndKey authority_ = MakeAuthority("fr.example", now_);
  const CertificateAndKey worker_ =
      MakeCertificate(authority_, "spiffe://fr.example/worker/a", now_);
};

TEST_F(PeerCertificateTest, WholeChainComesLeafFirst) {
  CertificateAndKey with_chain = worker_;
  with_chain.certificate_pem += authority_.certificate_pem;
  LoopbackServer server(
      ServerTls(WriteTlsFiles(folder_, "server", worker_, authority_.certificate_pem)));

  const grpc::Status status = Call(DialCoordinator(
      server.target(), WriteTlsFiles(folder_, "worker", with_chain, authority_.certificate_pem)));

  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(server.last_peer(), with_chain.certificate_pem);
}

TEST_F(PeerCertificateTest, TrustStoreRecognisesThePeer) {
  LoopbackServer server(
      ServerTls(WriteTlsFiles(folder_, "server", worker_, authority_.certificate_pem)));
  ASSERT_OK_AND_ASSIGN(const auto store,
                       TrustStore::Create({{.trust_domain = "fr.example",
                                            .certificates_pem = authority_.certificate_pem,
                                            .roles = {Role::kWorker}}}));
  const TlsPaths paths = WriteTlsFiles(folder_, "worker", worker_, authority_.certificate_pem);

  ASSERT_TRUE(Call(DialCoordinator(server.target(), paths)).ok());

  ASSERT_OK_AND_ASSIGN(const PeerIdentity peer, store->Verify(server.last_peer(), now_));
  EXPECT_EQ(peer.SpiffeId(), "spiffe://fr.example/worker/a");
}

TEST_F(PeerCertificateTest, ConnectionInTheClearHasNone) {
  LoopbackServer server(grpc::InsecureServerCredentials());

  const grpc::Status status =
      Call(grpc::CreateChannel(server.target(), grpc::InsecureChannelCredentials()));

  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(server.last_peer(), "");
}

}  // namespace
}  // namespace entente
