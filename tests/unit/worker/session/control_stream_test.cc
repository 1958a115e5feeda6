// SPDX-License-Identifier: Apache-2.0
#include "worker/session/control_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "absl/synchronization/notification.h"
#include "common/base/limits.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/session/fake_worker_service.h"
#include "tests/unit/worker/session/in_process_server.h"

namespace entente::worker {
namespace {

v1::WorkerMessage Accepted(const std::string& job) {
  v1::WorkerMessage message;
  message.mutable_accepted()->mutable_key()->set_job_id(job);
  return message;
}

class ControlStreamTest : public testing::Test {
 protected:
  std::shared_ptr<ControlStream> Open(FakeWorkerService::Script script) {
    service_.scripts = {std::move(script)};
    return ControlStream::Open(stub_.get(), {.on_message =
                                                 [this](v1::CoordinatorMessage message) {
                                                   heard_.push_back(message.task().key().job_id());
                                                 },
                                             .on_done =
                                                 [this](const absl::Status& status) {
                                                   end_ = status;
                                                   channel_users_at_end_ = channel_.use_count();
                                                   done_.Notify();
                                                 }});
  }

  bool WaitForEnd() { return done_.WaitForNotificationWithTimeout(absl::Seconds(30)); }

  // What the server's thread waits for: it may look at it until the server has gone.
  absl::Notification may_end_;
  FakeWorkerService service_;
  InProcessServer server_{&service_};
  std::shared_ptr<grpc::Channel> channel_ = server_.Channel();
  std::unique_ptr<v1::WorkerService::Stub> stub_ = v1::WorkerService::NewStub(channel_);
  std::atomic<long> channel_users_at_end_ = 0;
  std::vector<std::string> heard_;  // Read after the end only.
  absl::Status end_;
  absl::Notification done_;
};

TEST_F(ControlStreamTest, MessagesArriveInOrderBothWays) {
  std::vector<std::string> arrived;
  const auto stream = Open([&](FakeWorkerService::Stream* server) {
    v1::WorkerMessage message;
    while (server->Read(&message)) {
      arrived.push_back(message.accepted().key().job_id());
      v1::CoordinatorMessage answer;
      answer.mutable_task()->mutable_key()->set_job_id("for " + arrived.back());
      server->Write(answer);
    }
    return grpc::Status::OK;
  });

  EXPECT_TRUE(stream->Send(Accepted("a")));
  EXPECT_TRUE(stream->Send(Accepted("b")));
  EXPECT_TRUE(stream->Send(Accepted("c")));
  stream->FinishSending();

  ASSERT_TRUE(WaitForEnd());
  EXPECT_THAT(end_, IsOk());
  EXPECT_THAT(arrived, testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(heard_, testing::ElementsAre("for a", "for b", "for c"));
}

TEST_F(ControlStreamTest, TheServersRefusalReachesTheEnd) {
  const auto stream = Open([](FakeWorkerService::Stream*) {
    return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "protocol 9 is not spoken here");
  });

  ASSERT_TRUE(WaitForEnd());
  EXPECT_THAT(end_,
              StatusIs(absl::StatusCode::kFailedPrecondition, "protocol 9 is not spoken here"));
  EXPECT_FALSE(stream->Send(Accepted("late")));
}

TEST_F(ControlStreamTest, CancellingEndsIt) {
  const auto stream = Open([](FakeWorkerService::Stream* server) {
    v1::WorkerMessage message;
    while (server->Read(&message)) {
    }
    return grpc::Status::OK;
  });

  stream->Cancel();

  ASSERT_TRUE(WaitForEnd());
  EXPECT_THAT(end_, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(ControlStreamTest, AServerThatDoesNotReadIsCutOff) {
  const auto stream = Open([&](FakeWorkerService::Stream*) {
    may_end_.WaitForNotification();
    return grpc::Status::OK;
  });
  const std::string padding(64 << 10, 'x');
  bool sent = true;

  for (int i = 0; sent && i < 100 * limits::kControlQueueMessagesMax; ++i) {
    sent = stream->Send(Accepted(padding));
  }

  EXPECT_FALSE(sent);
  EXPECT_TRUE(WaitForEnd());
  may_end_.Notify();
}

TEST_F(ControlStreamTest, KeepsItselfUntilItsEnd) {
  Open([&](FakeWorkerService::Stream*) {
    may_end_.WaitForNotification();
    return grpc::Status::OK;
  });

  may_end_.Notify();

  EXPECT_TRUE(WaitForEnd());
}

// Or else the channel's last reference could go on gRPC's own thread, which it does not survive.
TEST_F(ControlStreamTest, HasLetGoOfTheChannelWhenItSaysItIsDone) {
  const long users_before = channel_.use_count();

  const auto stream = Open([](FakeWorkerService::Stream*) { return grpc::Status::OK; });

  ASSERT_TRUE(WaitForEnd());
  EXPECT_EQ(channel_users_at_end_, users_before);
}

TEST_F(ControlStreamTest, CancellingAfterTheEndIsHarmless) {
  const auto stream = Open([](FakeWorkerService::Stream*) { return grpc::Status::OK; });
  ASSERT_TRUE(WaitForEnd());

  stream->Cancel();

  EXPECT_THAT(end_, IsOk());
}

}  // namespace
}  // namespace entente::worker
