// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/attach_reactor.h"

#include <gmock/gmock.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/base/limits.h"
#include "tests/support/eventually.h"
#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

using ::testing::HasSubstr;

class AttachReactorTest : public ServiceTest {
 protected:
  using Stream = grpc::ClientReaderWriter<v1::WorkerMessage, v1::CoordinatorMessage>;

  explicit AttachReactorTest(absl::Duration heartbeat_interval = kHeartbeatInterval)
      : ServiceTest({}, heartbeat_interval),
        stub_(v1::WorkerService::NewStub(AsWorker())),
        call_(Context()) {
    hello_.mutable_hello()->set_protocol_version(1);
    hello_.mutable_hello()->add_datasets("numbers");
  }

  std::unique_ptr<Stream> Attach() { return stub_->Attach(call_.get()); }

  // The next message that is no heartbeat; kind not set at the stream's end.
  static v1::CoordinatorMessage Next(Stream& stream) {
    v1::CoordinatorMessage message;
    while (stream.Read(&message)) {
      if (!message.has_heartbeat()) return message;
    }
    return {};
  }

  // Attaches, and waits for a task of a new job, which this returns.
  std::shared_ptr<engine::JobEngine> BeginTask(Stream& stream, v1::TaskKey* key) {
    stream.Write(hello_);
    EXPECT_TRUE(Next(stream).has_welcome());
    auto job = Submit(RecipeOf(1, 1));
    *key = Next(stream).task().key();
    return job;
  }

  static v1::WorkerMessage ProgressOf(const v1::TaskKey& key) {
    v1::WorkerMessage progress;
    *progress.mutable_progress()->mutable_key() = key;
    return progress;
  }

  const WorkerId worker_{"fr-lab/w"};
  const std::unique_ptr<v1::WorkerService::Stub> stub_;
  const std::unique_ptr<grpc::ClientContext> call_;
  v1::WorkerMessage hello_;
};

// A worker that says nothing is cut off after one and a half seconds.
class SilentWorkerTest : public AttachReactorTest {
 protected:
  SilentWorkerTest() : AttachReactorTest(absl::Milliseconds(500)) {}
};

TEST_F(AttachReactorTest, HelloIsAnsweredWithWelcomeThenTasksFollow) {
  const auto stream = Attach();
  stream->Write(hello_);

  const v1::CoordinatorMessage welcome = Next(*stream);
  ASSERT_TRUE(welcome.has_welcome());
  EXPECT_EQ(welcome.welcome().worker_id(), "fr-lab/w");
  Submit(RecipeOf(1, 1));
  EXPECT_TRUE(Next(*stream).has_task());
  call_->TryCancel();
  stream->Finish();
}

TEST_F(AttachReactorTest, FirstMessageMustBeHello) {
  const auto stream = Attach();
  v1::WorkerMessage heartbeat;
  heartbeat.mutable_heartbeat();
  stream->Write(heartbeat);

  Next(*stream);
  const grpc::Status status = stream->Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(AttachReactorTest, OtherProtocolEndsTheStreamWithTheReason) {
  const auto stream = Attach();
  hello_.mutable_hello()->set_protocol_version(9);
  stream->Write(hello_);

  EXPECT_TRUE(Next(*stream).has_goodbye());
  Next(*stream);
  const grpc::Status status = stream->Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("protocol 9"));
}

TEST_F(AttachReactorTest, WorkerOfAnotherProtocolIsSeenWithWhyItIsNotAttached) {
  const auto stream = Attach();
  hello_.mutable_hello()->set_protocol_version(9);
  hello_.mutable_hello()->set_version(std::string(10'000, '7'));
  stream->Write(hello_);
  while (Next(*stream).kind_case() != v1::CoordinatorMessage::KIND_NOT_SET) {
  }
  stream->Finish();

  ASSERT_EQ(workers_->Snapshot().size(), 1U);
  const members::WorkerSnapshot worker = workers_->Snapshot()[0];
  EXPECT_EQ(worker.id, worker_);
  EXPECT_FALSE(worker.attached);
  EXPECT_THAT(worker.reason, HasSubstr("refused: the worker speaks protocol 9.0"));
  EXPECT_EQ(worker.description.version, std::string(100, '7'));
  EXPECT_GT(worker.description.certificate_expires_at, absl::Now());
}

TEST_F(AttachReactorTest, WorkerThatCannotAttachAnyMoreIsSeenWithTheNumberThatMay) {
  // As many as there may be.
  int others = 0;
  while (workers_
             ->Attach(WorkerId(absl::StrCat("kr-lab/", ++others)), members::WorkerDescription{},
                      std::make_shared<engine::RecordingConnection>())
             .ok()) {
    ASSERT_LT(others, 10'000);
  }
  const auto stream = Attach();
  stream->Write(hello_);
  while (Next(*stream).kind_case() != v1::CoordinatorMessage::KIND_NOT_SET) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);

  for (const members::WorkerSnapshot& worker : workers_->Snapshot()) {
    if (worker.id != worker_) continue;
    EXPECT_THAT(worker.reason, HasSubstr("as many as this coordinator takes"));
    return;
  }
  FAIL() << "the refused worker is not seen";
}

TEST_F(AttachReactorTest, WorkerOfTheNextMinorIsGreetedWithOursAndWorks) {
  const auto stream = Attach();
  hello_.mutable_hello()->set_protocol_minor(limits::kProtocolMinor + 1);
  // Field 99 of its Hello, of which this version knows nothing.
  hello_.mutable_hello()
      ->GetReflection()
      ->MutableUnknownFields(hello_.mutable_hello())
      ->AddVarint(99, 1);
  stream->Write(hello_);

  const v1::CoordinatorMessage welcome = Next(*stream);
  ASSERT_TRUE(welcome.has_welcome());
  EXPECT_EQ(welcome.welcome().protocol_version(), limits::kProtocolVersion);
  EXPECT_EQ(welcome.welcome().protocol_minor(), limits::kProtocolMinor);
  Submit(RecipeOf(1, 1));
  EXPECT_TRUE(Next(*stream).has_task());
  call_->TryCancel();
  stream->Finish();
}

TEST_F(AttachReactorTest, WorkerOfThePreviousMinorIsNotSentWhatItDoesNotKnow) {
  const auto stream = Attach();
  stream->Write(hello_);  // Of 1.0: it has no minor.
  ASSERT_TRUE(Next(*stream).has_welcome());
  v1::Recipe recipe = RecipeOf(1, 1);
  recipe.mutable_training()->mutable_checkpoint_every()->set_seconds(30);
  Submit(recipe);

  const v1::CoordinatorMessage task = Next(*stream);
  ASSERT_TRUE(task.has_task());
  EXPECT_FALSE(task.task().recipe().training().has_checkpoint_every());
  call_->TryCancel();
  stream->Finish();
}

TEST_F(AttachReactorTest, WorkerThatAttachesWhileAwayGetsNoTask) {
  const auto stream = Attach();
  hello_.mutable_hello()->mutable_away()->set_reason("the GPU is lent");
  stream->Write(hello_);
  ASSERT_TRUE(Next(*stream).has_welcome());
  const auto job = Submit(RecipeOf(1, 1));
  // Its attachment follows its Welcome, and the job does what that means before it answers.
  EXPECT_TRUE(Eventually([this] { return !workers_->AwayWith("numbers").empty(); }));
  const auto answered = std::make_shared<absl::Notification>();  // It may outlive the test.
  job->ResumeJob("", [answered](const absl::Status&) { answered->Notify(); });
  ASSERT_TRUE(answered->WaitForNotificationWithTimeout(absl::Seconds(30)));
  EXPECT_EQ(job->View().state->round.phase, rounds::RoundPhase::kPlanned);
  v1::WorkerMessage back;
  back.mutable_back();

  stream->Write(back);

  EXPECT_TRUE(Next(*stream).has_task());
  EXPECT_FALSE(workers_->AwayOf(WorkerId("fr-lab/w")).has_value());
  call_->TryCancel();
  stream->Finish();
}

TEST_F(SilentWorkerTest, SilentWorkerIsCutOff) {
  const auto stream = Attach();
  stream->Write(hello_);

  while (Next(*stream).kind_case() != v1::CoordinatorMessage::KIND_NOT_SET) {
  }
  const grpc::Status status = stream->Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  ASSERT_EQ(workers_->Snapshot().size(), 1U);
  EXPECT_THAT(workers_->Snapshot()[0].reason, HasSubstr("silent"));
}

TEST_F(SilentWorkerTest, WorkerThatEndsItsSideAndTakesNothingIsCutOff) {
  const auto stream = Attach();
  stream->Write(hello_);
  ASSERT_TRUE(Next(*stream).has_welcome());
  v1::CoordinatorMessage large;
  large.mutable_goodbye()->set_reason(std::string(4 << 20, 'x'));
  // It is attached a little after its Welcome.
  EXPECT_TRUE(Eventually([&] { return workers_->Send(worker_, large); }));
  // More than gRPC takes of them without being asked for any.
  for (int i = 0; i < 15; ++i) workers_->Send(worker_, large);

  stream->WritesDone();

  // The client itself hears of its stream's end only behind what it does not read.
  const auto is_attached = [this] {
    for (const members::WorkerSnapshot& worker : workers_->Snapshot()) {
      if (worker.id == worker_) return worker.attached;
    }
    return false;
  };
  EXPECT_TRUE(Eventually([&] { return !is_attached(); }));
  call_->TryCancel();
  stream->Finish();
}

TEST_F(SilentWorkerTest, WorkerIsReadNoFasterThanItsJobKeepsUp) {
  // Before the worker is there, for it would have to be silent meanwhile.
  const auto job = Submit(RecipeOf(1, 1));
  const auto stream = Attach();
  stream->Write(hello_);
  ASSERT_TRUE(Next(*stream).has_welcome());
  const v1::TaskKey key = Next(*stream).task().key();
  const auto go_on = std::make_shared<absl::Notification>();  // Who waits may outlive the test.
  job->ResumeJob("", [go_on](const absl::Status&) { go_on->WaitForNotification(); });
  for (int i = 0; i < limits::kWorkerMessagesMax; ++i) stream->Write(ProgressOf(key));
  v1::WorkerMessage away;
  away.mutable_away();
  stream->Write(away);

  // For longer than a worker may be silent, which it is not held against it that nobody listens.
  int heartbeats = 0;
  for (v1::CoordinatorMessage message; heartbeats < 5 && stream->Read(&message);) {
    if (message.has_heartbeat()) ++heartbeats;
  }
  EXPECT_EQ(heartbeats, 5);
  EXPECT_FALSE(workers_->AwayOf(worker_).has_value());

  go_on->Notify();
  EXPECT_TRUE(Eventually([this] { return workers_->AwayOf(worker_).has_value(); }));
  call_->TryCancel();
  stream->Finish();
}

TEST_F(AttachReactorTest, WhatFollowsAFewMessagesDoesNotWaitForTheirJob) {
  const auto stream = Attach();
  v1::TaskKey key;
  const auto job = BeginTask(*stream, &key);
  const auto go_on = std::make_shared<absl::Notification>();  // Who waits may outlive the test.
  job->ResumeJob("", [go_on](const absl::Status&) { go_on->WaitForNotification(); });
  stream->Write(ProgressOf(key));
  v1::WorkerMessage away;
  away.mutable_away();

  stream->Write(away);

  EXPECT_TRUE(Eventually([this] { return workers_->AwayOf(worker_).has_value(); }));
  go_on->Notify();
  call_->TryCancel();
  stream->Finish();
}

TEST_F(AttachReactorTest, StreamOfAWorkerThatIsNotReadCanBeClosed) {
  const auto stream = Attach();
  v1::TaskKey key;
  const auto job = BeginTask(*stream, &key);
  const auto go_on = std::make_shared<absl::Notification>();  // Who waits may outlive the test.
  job->ResumeJob("", [go_on](const absl::Status&) { go_on->WaitForNotification(); });
  for (int i = 1; i < limits::kWorkerMessagesMax; ++i) stream->Write(ProgressOf(key));
  v1::WorkerMessage away;
  away.mutable_away();
  stream->Write(away);
  stream->Write(ProgressOf(key));  // This one waits for the others.
  EXPECT_TRUE(Eventually([this] { return workers_->AwayOf(worker_).has_value(); }));

  workers_->CloseAll(absl::UnavailableError("stopping"));

  EXPECT_TRUE(Next(*stream).has_goodbye());
  Next(*stream);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  go_on->Notify();
}

TEST_F(AttachReactorTest, WorkerThatSaysGoodbyeIsNotedAsLeft) {
  const auto stream = Attach();
  stream->Write(hello_);
  ASSERT_TRUE(Next(*stream).has_welcome());
  v1::WorkerMessage goodbye;
  goodbye.mutable_goodbye()->set_reason("maintenance");
  stream->Write(goodbye);
  stream->WritesDone();

  Next(*stream);
  EXPECT_TRUE(stream->Finish().ok());

  ASSERT_EQ(workers_->Snapshot().size(), 1U);
  EXPECT_EQ(workers_->Snapshot()[0].reason, "left: maintenance");
}

TEST_F(AttachReactorTest, CoordinatorThatStopsSaysGoodbye) {
  const auto stream = Attach();
  stream->Write(hello_);
  ASSERT_TRUE(Next(*stream).has_welcome());

  workers_->CloseAll(absl::UnavailableError("stopping"));

  const v1::CoordinatorMessage goodbye = Next(*stream);
  EXPECT_EQ(goodbye.goodbye().reason(), "stopping");
  Next(*stream);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace entente::service
