// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/grpc_log.h"

#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include "common/base/log.h"

namespace entente {
namespace {

TEST(GrpcLogTest, GrpcsOwnLinesAreOursAtDebugLevel) {
  RouteGrpcLog();
  ::testing::internal::CaptureStderr();
  gpr_log(GPR_ERROR, "handshake failed");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "") << "said in our own words elsewhere";

  log::Configure(log::Format::kText, log::Level::kDebug);
  ::testing::internal::CaptureStderr();
  gpr_log(GPR_ERROR, "handshake failed");
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("handshake failed"), std::string::npos);
  log::Configure(log::Format::kText, log::Level::kInfo);
}

}  // namespace
}  // namespace entente
