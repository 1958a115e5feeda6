// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/worker_service.h"

#include <gmock/gmock.h>

#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

class WorkerServiceTest : public ServiceTest {};

TEST_F(WorkerServiceTest, OnlyWorkersAttach) {
  const auto stub = v1::WorkerService::NewStub(AsSubmitter());
  const auto context = Context();
  const auto stream = stub->Attach(context.get());
  v1::CoordinatorMessage message;

  EXPECT_FALSE(stream->Read(&message));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("may not take part in rounds"));
}

}  // namespace
}  // namespace entente::service
