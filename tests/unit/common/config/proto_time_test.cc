// SPDX-License-Identifier: Apache-2.0
#include "common/config/proto_time.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace entente {
namespace {

TEST(ProtoTimeTest, DurationsKeepTheirValueBothWays) {
  for (const absl::Duration duration :
       {absl::ZeroDuration(), absl::Milliseconds(1'500), -absl::Milliseconds(1'500),
        absl::Nanoseconds(1), absl::Hours(24 * 90)}) {
    EXPECT_EQ(ToDuration(ToProto(duration)), duration);
  }
}

TEST(ProtoTimeTest, SecondsAndNanosHaveOneSign) {
  const google::protobuf::Duration proto = ToProto(-absl::Milliseconds(1'500));

  EXPECT_EQ(proto.seconds(), -1);
  EXPECT_EQ(proto.nanos(), -500'000'000);
}

TEST(ProtoTimeTest, AnInfiniteDurationBecomesTheLongestThereIs) {
  EXPECT_EQ(ToProto(absl::InfiniteDuration()).seconds(), 315'576'000'000);
}

TEST(ProtoTimeTest, AnAbsurdDurationFromThePeerDoesNotOverflow) {
  google::protobuf::Duration proto;
  proto.set_seconds(std::numeric_limits<int64_t>::max());
  proto.set_nanos(std::numeric_limits<int32_t>::max());

  EXPECT_GT(ToDuration(proto), absl::Hours(24 * 365));
}

TEST(ProtoTimeTest, TimesKeepTheirValueBothWays) {
  for (const absl::Time time :
       {absl::UnixEpoch(), absl::FromUnixMillis(1'700'000'000'123), absl::FromUnixMillis(-1'500)}) {
    EXPECT_EQ(ToTime(ToProto(time)), time);
    EXPECT_GE(ToProto(time).nanos(), 0);
  }
}

TEST(ProtoTimeTest, TheInfiniteFutureBecomesTheLastSecondThereIs) {
  EXPECT_EQ(ToProto(absl::InfiniteFuture()).seconds(), 253'402'300'799);
}

}  // namespace
}  // namespace entente
