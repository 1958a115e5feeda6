// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/member_service.h"

#include <gmock/gmock.h>

#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

class MemberServiceTest : public ServiceTest {};

TEST_F(MemberServiceTest, MembersAreListedWithTheirWorkers) {
  AttachWorker("fr-lab/w");
  v1::ListMembersResponse list;

  ASSERT_TRUE(
      v1::MemberService::NewStub(AsSubmitter())->ListMembers(Context().get(), {}, &list).ok());

  ASSERT_EQ(list.members_size(), 2);
  EXPECT_EQ(list.members(0).id(), "fr-lab");
  EXPECT_EQ(list.members(0).jurisdiction(), "FR");
  ASSERT_EQ(list.members(0).workers_size(), 1);
  EXPECT_TRUE(list.members(0).workers(0).connected());
  EXPECT_EQ(list.members(0).workers(0).sandbox(), "none");
  EXPECT_EQ(list.members(1).workers_size(), 0);
}

TEST_F(MemberServiceTest, WorkerThatIsAwaySaysUntilWhenAndWhatItSpeaks) {
  const auto connection = AttachWorker("fr-lab/w");
  v1::Away away;
  away.set_reason("the GPU is lent");
  away.mutable_until()->set_seconds(1'796'025'600);
  workers_->SetAway(WorkerId("fr-lab/w"), connection.get(), away);
  v1::GetMemberRequest request;
  request.set_member_id("fr-lab");
  v1::Member member;

  ASSERT_TRUE(
      v1::MemberService::NewStub(AsSubmitter())->GetMember(Context().get(), request, &member).ok());

  ASSERT_EQ(member.workers_size(), 1);
  EXPECT_EQ(member.workers(0).away().reason(), "the GPU is lent");
  EXPECT_EQ(member.workers(0).away().until().seconds(), 1'796'025'600);
  EXPECT_EQ(member.workers(0).protocol(), "1.1");
}

TEST_F(MemberServiceTest, UnknownMemberIsNotFound) {
  v1::GetMemberRequest request;
  request.set_member_id("xx-lab");
  v1::Member member;

  EXPECT_EQ(v1::MemberService::NewStub(AsSubmitter())
                ->GetMember(Context().get(), request, &member)
                .error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(MemberServiceTest, WorkersReadTheVersionButNotTheMembers) {
  const auto stub = v1::MemberService::NewStub(AsWorker());
  v1::GetVersionResponse version;
  v1::ListMembersResponse list;

  ASSERT_TRUE(stub->GetVersion(Context().get(), {}, &version).ok());
  EXPECT_EQ(version.version(), "0.1.0-test");
  EXPECT_EQ(version.protocol_version(), 1U);
  EXPECT_EQ(version.protocol_minor(), 1U);
  EXPECT_EQ(stub->ListMembers(Context().get(), {}, &list).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

}  // namespace
}  // namespace entente::service
