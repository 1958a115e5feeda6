// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/member_converter.h"

#include <gmock/gmock.h>

namespace entente::service {
namespace {

TEST(MemberConverterTest, MemberHasItsOwnWorkersAndTheirReasons) {
  const members::MemberInfo member{.id = MemberId("fr-lab"),
                                   .display_name = "Lab",
                                   .jurisdiction = "FR",
                                   .trust_domain = "fr-lab.example"};
  members::WorkerSnapshot own{.id = WorkerId("fr-lab/w"), .reason = "the connection ended"};
  own.description.protocol_minor = 1;
  own.step = 40;
  own.step_count = 200;
  const members::WorkerSnapshot other{.id = WorkerId("fr-lab-2/w")};

  const v1::Member proto = ToProto(member, {own, other});

  EXPECT_EQ(proto.jurisdiction(), "FR");
  ASSERT_EQ(proto.workers_size(), 1);
  EXPECT_EQ(proto.workers(0).reason(), "the connection ended");
  EXPECT_FALSE(proto.workers(0).connected());
  EXPECT_EQ(proto.workers(0).protocol(), "1.1");
  EXPECT_EQ(proto.workers(0).step(), 40U);
  EXPECT_EQ(proto.workers(0).step_count(), 200U);
}

TEST(MemberConverterTest, ProtocolOfAWorkerThatWasOnlyRefusedIsNotKnown) {
  EXPECT_EQ(ToProto(members::WorkerSnapshot{.never_attached = true}).protocol(), "");
}

// After a coordinator's start nothing is known of those who take part in its jobs but their names.
TEST(MemberConverterTest, CertificateOfAWorkerThatIsExpectedIsNotSaidToHaveExpired) {
  members::WorkerSnapshot expected{.never_attached = true};
  EXPECT_FALSE(ToProto(expected).has_certificate_expires_at());

  expected.description.certificate_expires_at = absl::FromUnixSeconds(1'800'000'000);
  EXPECT_TRUE(ToProto(expected).has_certificate_expires_at());
}

}  // namespace
}  // namespace entente::service
