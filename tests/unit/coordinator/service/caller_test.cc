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

  v1::GetVersionResponse response_;
};

TEST_F(CallerTest, KnownCallerIsNamedBackToItself) {
  ASSERT_TRUE(GetVersion(AsWorker()).ok());

  EXPECT_EQ(response_.caller(), "spiffe://fr-lab.example/worker/w");
}

TEST_F(CallerTest, AnotherMembersAuthorityCannotVouchForThisOne) {
  const auto forged =
      MakeCertificate(kr_, "spiffe://fr-lab.example/worker/w", RealNow());

  const grpc::Status status = GetVersion(ChannelWith(forged));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(status.error_message(), HasSubstr("fr-lab.example"));
}

TEST_F(CallerTest, AuthorityCannotGiveARoleThatIsNotItsOwn) {
  const auto boss = MakeCertificate(fr_, "spiffe://fr-lab.example/operator/boss", RealNow());

  EXPECT_EQ(GetVersion(ChannelWith(boss)).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(CallerTest, UnknownAuthorityDoesNotGetThroughTls) {
  const auto stranger = MakeAuthority("stranger.example", RealNow());
  const auto certificate =
      MakeCertificate(stranger, "spiffe://fr-lab.example/worker/w", RealNow());

  EXPECT_EQ(GetVersion(ChannelWith(certificate)).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(CallerTest, ExpiredCertificateDoesNotGetThrough) {
  const auto old =
      MakeCertificate(fr_, "spiffe://fr-lab.example/worker/w", RealNow() - absl::Hours(48));

  EXPECT_FALSE(GetVersion(ChannelWith(old)).ok());
}

}  // namespace
}  // namespace entente::service
