// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/call_trace.h"

#include <gtest/gtest.h>

namespace entente::service {
namespace {

constexpr char kExample[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

TEST(CallTraceTest, TheCallsTraceIsTaken) {
  const auto trace = TraceOfMetadata(Metadata{{"user-agent", "x"}, {"traceparent", kExample}});

  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->ToTraceparent(), kExample);
}

TEST(CallTraceTest, OneThatIsMissingMalformedOrDoubledIsNone) {
  EXPECT_FALSE(TraceOfMetadata(Metadata{}).has_value());
  EXPECT_FALSE(TraceOfMetadata(Metadata{{"traceparent", "00-zz"}}).has_value());
  EXPECT_FALSE(
      TraceOfMetadata(Metadata{{"traceparent", kExample}, {"traceparent", kExample}}).has_value());
}

}  // namespace
}  // namespace entente::service
