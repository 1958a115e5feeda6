// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/worker_message.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <memory>

#include "absl/synchronization/notification.h"
#include "common/base/limits.h"
#include "common/base/utf8.h"
#include "common/recipe/recipe_encoding.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

v1::Hello GoodHello() {
  v1::Hello hello;
  hello.set_protocol_version(1);
  hello.set_version("0.1.0");
  hello.add_datasets("numbers");
  hello.set_sandbox("bubblewrap");
  return hello;
}

TEST(CheckHelloTest, GoodHelloIsWelcome) { EXPECT_THAT(CheckHello(GoodHello(), "0.1.0"), IsOk()); }

TEST(CheckHelloTest, OtherProtocolIsToldBothVersionsAndWhatToInstall) {
  v1::Hello hello = GoodHello();
  hello.set_protocol_version(2);

  EXPECT_THAT(CheckHello(hello, "0.1.0"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("speaks protocol 2.0, this coordinator protocol 1.1; install "
                                 "entente-worker 0.1.0, the coordinator's version")));
  hello.set_protocol_version(0);
  EXPECT_THAT(CheckHello(hello, "0.1.0"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("speaks protocol 0.0")));
}

TEST(CheckHelloTest, OlderAndNewerMinorAreWelcome) {
  v1::Hello hello = GoodHello();
  for (const uint32_t minor : {limits::kProtocolMinor - 1, limits::kProtocolMinor + 1}) {
    hello.set_protocol_minor(minor);
    EXPECT_THAT(CheckHello(hello, "0.1.0"), IsOk());
    EXPECT_EQ(DescriptionOf(hello, absl::UnixEpoch()).protocol_minor, minor);
  }
}

TEST(CheckHelloTest, AwayUntilNoCalendarKnowsIsRefused) {
  v1::Hello hello = GoodHello();
  hello.mutable_away()->mutable_until()->set_seconds(int64_t{1} << 60);

  EXPECT_THAT(CheckHello(hello, "0.1.0"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(CheckHelloTest, OverlongFieldsAreRefused) {
  v1::Hello many = GoodHello();
  for (int i = 0; i < 2000; ++i) many.add_datasets("d");
  v1::Hello longer = GoodHello();
  longer.add_datasets(std::string(101, 'x'));
  v1::Hello version = GoodHello();
  version.set_version(std::string(101, 'x'));

  EXPECT_THAT(CheckHello(many, "0.1.0"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckHello(longer, "0.1.0"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckHello(version, "0.1.0"), StatusIs(absl::StatusCode::kInvalidArgument));
  v1::Hello encodings = GoodHello();
  for (int i = 0; i < 200; ++i) encodings.add_encodings(v1::Updates::ENCODING_FP32);
  EXPECT_THAT(CheckHello(encodings, "0.1.0"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(CheckHelloTest, TooManyWordsAreRefusedByName) {
  v1::Hello hello = GoodHello();
  for (int i = 0; i < 200; ++i) hello.add_downloads(v1::Updates::DOWNLOAD_FP32);
  EXPECT_THAT(CheckHello(hello, "0.1.0"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                   ::testing::HasSubstr("100 downloads, not 200")));
  hello.clear_downloads();
  for (int i = 0; i < 200; ++i) hello.add_compressions(v1::Updates::COMPRESSION_ZSTD);
  EXPECT_THAT(CheckHello(hello, "0.1.0"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       ::testing::HasSubstr("100 compressions, not 200")));
}

TEST(DownloadsOfTest, OlderWorkerKnowsNoneAndWhatIsNewerIsIgnored) {
  v1::Hello hello;
  EXPECT_THAT(DownloadsOf(hello), ::testing::IsEmpty());
  EXPECT_THAT(CompressionsOf(hello), ::testing::IsEmpty());
  hello.add_downloads(v1::Updates::DOWNLOAD_BF16);
  hello.add_downloads(static_cast<v1::Updates::Download>(999));
  hello.add_compressions(v1::Updates::COMPRESSION_ZSTD);
  hello.add_compressions(static_cast<v1::Updates::Compression>(999));
  EXPECT_THAT(DownloadsOf(hello), ::testing::ElementsAre(v1::Updates::DOWNLOAD_BF16));
  EXPECT_THAT(CompressionsOf(hello), ::testing::ElementsAre(v1::Updates::COMPRESSION_ZSTD));
}

TEST(EncodingsOfTest, OlderWorkerKnowsTheFirstTwoAndWhatIsNewerIsIgnored) {
  v1::Hello hello = GoodHello();
  EXPECT_THAT(EncodingsOf(hello),
              ::testing::ElementsAre(v1::Updates::ENCODING_FP32, v1::Updates::ENCODING_BF16));
  hello.add_encodings(v1::Updates::ENCODING_INT8);
  hello.add_encodings(static_cast<v1::Updates::Encoding>(999));
  EXPECT_THAT(EncodingsOf(hello), ::testing::ElementsAre(v1::Updates::ENCODING_INT8));
}

TEST(EncodingsOfTest, TopkIsWhatThisVersionWritesAndNotWhatAnOlderWorkerDoes) {
  v1::Hello hello = GoodHello();
  hello.add_encodings(v1::Updates::ENCODING_FP32);
  hello.add_encodings(v1::Updates::ENCODING_TOPK);
  EXPECT_THAT(EncodingsOf(hello), ::testing::ElementsAre(v1::Updates::ENCODING_FP32));
  v1::Hello ours = GoodHello();
  NameEncodings(&ours);
  EXPECT_THAT(ours.encodings(), ::testing::Not(::testing::Contains(v1::Updates::ENCODING_TOPK)));
  EXPECT_THAT(EncodingsOf(ours), ::testing::UnorderedElementsAreArray(KnownEncodings()));
}

class WorkerMessageTest : public ServiceTest {
 protected:
  WorkerMessageTest()
      : worker_(AttachWorker("fr-lab/w")),
        other_(AttachWorker("kr-lab/w")),
        job_(Submit(RecipeOf(1, 1))),
        task_(worker_->WaitForTask(0)) {}

  absl::Status Dispatch(const v1::WorkerMessage& message) {
    return DispatchWorkerMessage(context_, speaker_, message, [count = done_count_] { ++*count; });
  }

  // Shared with a job that may be at it when the test ends.
  const std::shared_ptr<std::atomic<int>> done_count_ = std::make_shared<std::atomic<int>>(0);
  const WorkerId id_{"fr-lab/w"};
  const std::shared_ptr<engine::RecordingConnection> worker_;
  const std::shared_ptr<engine::RecordingConnection> other_;
  const std::shared_ptr<engine::JobEngine> job_;
  const v1::Task task_;
  const WorkerSpeaker speaker_{id_, worker_.get()};
};

TEST_F(WorkerMessageTest, ProgressIsSeenInTheJob) {
  v1::WorkerMessage message;
  *message.mutable_progress()->mutable_key() = task_.key();
  message.mutable_progress()->set_activity("training");
  message.mutable_progress()->set_step(5);
  message.mutable_progress()->set_loss(NAN);

  ASSERT_THAT(Dispatch(message), IsOk());

  const auto view =
      WaitFor(*job_, [&](const engine::JobView& v) { return v.progress.contains(id_); });
  EXPECT_EQ(view.progress.at(id_).step, 5U);
  EXPECT_EQ(view.progress.at(id_).loss, 0) << "a NaN is no loss";
}

TEST_F(WorkerMessageTest, ProgressIsSeenOfTheWorkerUntilItsTaskIsOver) {
  const auto snapshot = [this] {
    for (const members::WorkerSnapshot& each : workers_->Snapshot()) {
      if (each.id == id_) return each;
    }
    return members::WorkerSnapshot{};
  };
  v1::WorkerMessage progress;
  *progress.mutable_progress()->mutable_key() = task_.key();
  progress.mutable_progress()->set_activity("training");
  progress.mutable_progress()->set_step(5);
  progress.mutable_progress()->set_step_count(9);
  v1::WorkerMessage failed;
  *failed.mutable_failed()->mutable_key() = task_.key();

  ASSERT_THAT(Dispatch(progress), IsOk());
  EXPECT_EQ(snapshot().activity, "training " + task_.key().job_id() + " round 1");
  EXPECT_EQ(snapshot().step, 5U);
  EXPECT_EQ(snapshot().step_count, 9U);

  ASSERT_THAT(Dispatch(failed), IsOk());
  EXPECT_EQ(snapshot().activity, "");
  EXPECT_EQ(snapshot().step_count, 0U);
}

TEST_F(WorkerMessageTest, MessageIsDoneOnceItsJobHasDealtWithIt) {
  v1::WorkerMessage progress;
  *progress.mutable_progress()->mutable_key() = task_.key();
  v1::WorkerMessage away;
  away.mutable_away();
  const auto go_on = std::make_shared<absl::Notification>();  // Who waits may outlive the test.
  job_->ResumeJob("", [go_on](const absl::Status&) { go_on->WaitForNotification(); });

  EXPECT_THAT(Dispatch(progress), IsOk());
  EXPECT_THAT(Dispatch(away), IsOk());
  EXPECT_EQ(*done_count_, 0);

  go_on->Notify();
  EXPECT_TRUE(Eventually([this] { return *done_count_ == 2; }));
}

TEST_F(WorkerMessageTest, MessageThatNoJobHasToDealWithIsDoneAtOnce) {
  v1::WorkerMessage heartbeat;
  heartbeat.mutable_heartbeat();

  ASSERT_THAT(Dispatch(heartbeat), IsOk());

  EXPECT_EQ(*done_count_, 1);
}

TEST_F(WorkerMessageTest, RefusalCarriesItsRuleAndIsCut) {
  v1::WorkerMessage message;
  *message.mutable_declined()->mutable_key() = task_.key();
  message.mutable_declined()->set_rule("no-testing");
  message.mutable_declined()->set_reason(std::string(10'000, 'x'));

  ASSERT_THAT(Dispatch(message), IsOk());

  const auto view = WaitFor(*job_, [](const engine::JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kDeclined) == 1;
  });
  const std::string& reason = view.state->round.participants.at(id_).reason;
  EXPECT_THAT(reason, ::testing::StartsWith("rule no-testing: xxx"));
  EXPECT_LT(reason.size(), 700U);
}

TEST_F(WorkerMessageTest, CutReasonIsStillUtf8) {
  v1::WorkerMessage message;
  *message.mutable_failed()->mutable_key() = task_.key();
  message.mutable_failed()->set_reason(std::string(limits::kReasonBytesMax - 1, 'x') + "é");

  ASSERT_THAT(Dispatch(message), IsOk());

  const auto view = WaitFor(*job_, [](const engine::JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kFailed) == 1;
  });
  const std::string& reason = view.state->round.participants.at(id_).reason;
  EXPECT_EQ(reason, ToValidUtf8(reason));
}

TEST_F(WorkerMessageTest, WorkerThatStopsIsMissingAndNotFailed) {
  v1::WorkerMessage message;
  *message.mutable_failed()->mutable_key() = task_.key();
  message.mutable_failed()->set_reason("the worker is stopping");
  message.mutable_failed()->set_may_return(true);

  ASSERT_THAT(Dispatch(message), IsOk());

  const auto view = WaitFor(*job_, [](const engine::JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kMissing) == 1;
  });
  EXPECT_EQ(view.state->round.participants.at(id_).reason, "the worker is stopping");
}

TEST_F(WorkerMessageTest, EvaluationMustBeOfNumbers) {
  v1::WorkerMessage message;
  *message.mutable_evaluated()->mutable_key() = task_.key();
  v1::Metrics* const metrics = message.mutable_evaluated()->mutable_metrics();
  EXPECT_THAT(Dispatch(message), StatusIs(absl::StatusCode::kInvalidArgument));
  metrics->set_examples(1);
  metrics->set_loss(NAN);
  EXPECT_THAT(Dispatch(message), StatusIs(absl::StatusCode::kInvalidArgument));
  metrics->set_loss(1);
  metrics->set_accuracy(1.5);
  EXPECT_THAT(Dispatch(message), StatusIs(absl::StatusCode::kInvalidArgument));
  metrics->set_accuracy(NAN);
  EXPECT_THAT(Dispatch(message), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(WorkerMessageTest, MessageAboutAnUnknownJobIsOnlyLate) {
  v1::WorkerMessage message;
  message.mutable_accepted()->mutable_key()->set_job_id("gone");

  EXPECT_THAT(Dispatch(message), IsOk());
  EXPECT_EQ(*done_count_, 1);
}

TEST_F(WorkerMessageTest, AwayIsKeptCutAndItsTaskGivenBackUntilItIsBack) {
  v1::WorkerMessage message;
  message.mutable_away()->set_reason(std::string(10'000, 'x'));
  ASSERT_THAT(Dispatch(message), IsOk());

  WaitFor(*job_, [](const engine::JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kSkipped) == 1;
  });
  ASSERT_TRUE(workers_->AwayOf(id_).has_value());
  EXPECT_EQ(workers_->AwayOf(id_)->reason().size(), limits::kReasonBytesMax);

  v1::WorkerMessage back;
  back.mutable_back();
  ASSERT_THAT(Dispatch(back), IsOk());
  EXPECT_FALSE(workers_->AwayOf(id_).has_value());
}

// It says so whenever it attaches; a line of the log is for who was away.
TEST_F(WorkerMessageTest, WorkerIsBackOnceAndForNoReason) {
  v1::WorkerMessage away;
  away.mutable_away();
  v1::WorkerMessage back;
  back.mutable_back();
  testing::internal::CaptureStderr();
  ASSERT_THAT(Dispatch(back), IsOk());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("worker is back")));
  ASSERT_THAT(Dispatch(away), IsOk());

  testing::internal::CaptureStderr();
  ASSERT_THAT(Dispatch(back), IsOk());

  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("worker is back  worker=fr-lab/w"), Not(HasSubstr("reason=\"\""))));
}

TEST_F(WorkerMessageTest, AwayUntilNoCalendarKnowsIsMalformed) {
  v1::WorkerMessage message;
  message.mutable_away()->mutable_until()->set_nanos(-1);

  EXPECT_THAT(Dispatch(message),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no calendar has")));
}

// Field 99, of which this version knows nothing.
TEST_F(WorkerMessageTest, MessageThatOnlyANewerWorkerKnowsIsIgnored) {
  v1::WorkerMessage message;
  ASSERT_TRUE(message.ParseFromString(std::string("\x9a\x06\x00", 3)));

  EXPECT_THAT(Dispatch(message), IsOk());
}

TEST_F(WorkerMessageTest, EmptyMessageIsMalformed) {
  EXPECT_THAT(Dispatch({}), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entente::service
