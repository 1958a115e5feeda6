// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/caller.h"

#include <gmock/gmock.h>

#include "tests/unit/common/rpc/loopback.h"
#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

using ::testing::HasSubstr;

class CallerTest : public ServiceTest {
 protected:
  grpc::Status GetVersion(const std::shared_ptr<grpc::Channel>& channel) {
    const auto context = Context();
    return v1::MemberService::NewStub(channel)->GetVersion(context.get(), {}, &response_);
  }

  // What `entente pki issue` refuses to make: a certificate outside its authority's own domain.
  static CertificateAndKey Forge(const CertificateAndKey& authority, const std::string& spiffe_id) {
    CertificateFields fields;
    fields.common_name = "forged";
    fields.names.uris = {spiffe_id};
    fields.not_before = RealNow() - absl::Hours(1);
    fields.not_after = RealNow() + absl::Hours(1);
    const auto made = BuildCertificate(fields, &authority);
    ENTENTE_CHECK(made.ok());
    return *made;
  }

  v1::GetVersionResponse response_;
};

TEST_F(CallerTest, KnownCallerIsNamedBackToItself) {
  ASSERT_TRUE(GetVersion(AsWorker()).ok());

  EXPECT_EQ(response_.caller(), "spiffe://fr-lab.example/worker/w");
}

TEST_F(CallerTest, AnotherMembersAuthorityCannotVouchForThisOne) {
  const auto forged = Forge(kr_, "spiffe://fr-lab.example/worker/w");

  const grpc::Status status = GetVersion(ChannelWith(forged));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(status.error_message(), HasSubstr("fr-lab.example"));
}

// Whoever has no name has no share of the transfers either.
TEST_F(CallerTest, TransferOfAForgedCallerIsRefusedBeforeItBegins) {
  const auto stub =
      v1::TransferService::NewStub(ChannelWith(Forge(kr_, "spiffe://fr-lab.example/worker/w")));
  const auto context = Context();
  v1::UploadReceipt receipt;

  const grpc::Status status = stub->Upload(context.get(), &receipt)->Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(CallerTest, AuthorityCannotGiveARoleThatIsNotItsOwn) {
  const auto boss = MakeCertificate(fr_, "spiffe://fr-lab.example/operator/boss", RealNow());

  EXPECT_EQ(GetVersion(ChannelWith(boss)).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(CallerTest, UnknownAuthorityDoesNotGetThroughTls) {
  const auto stranger = MakeAuthority("stranger.example", RealNow());
  const auto certificate = Forge(stranger, "spiffe://fr-lab.example/worker/w");

  EXPECT_EQ(GetVersion(ChannelWith(certificate)).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(CallerTest, ExpiredCertificateDoesNotGetThrough) {
  const auto old =
      MakeCertificate(fr_, "spiffe://fr-lab.example/worker/w", RealNow() - absl::Hours(48));

  EXPECT_FALSE(GetVersion(ChannelWith(old)).ok());
}

}  // namespace
}  // namespace entente::service
