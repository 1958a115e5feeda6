// SPDX-License-Identifier: Apache-2.0
#include "worker/session/coordinator_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/config/proto_time.h"
#include "tests/unit/worker/session/fake_worker_service.h"
#include "tests/unit/worker/session/in_process_server.h"

namespace entente::worker {
namespace {

constexpr absl::Duration kLongEnough = absl::Seconds(30);

using Stream = FakeWorkerService::Stream;

class FakeListener final : public TaskListener {
 public:
  void HandleAttached(const WorkerId& self) override { EXPECT_EQ(self.value(), "fr-lab/gpu-1"); }
  void HandleTask(v1::Task) override { task.Notify(); }
  void HandleCancelled(const v1::TaskCancelled&) override { cancelled.Notify(); }
  void HandleJobEnded(const v1::JobEnded&) override {}

  absl::Notification task;
  absl::Notification cancelled;
};

// Reads the Hello and answers it.
v1::Hello Greet(Stream* stream, absl::Duration heartbeat = absl::Hours(1)) {
  v1::WorkerMessage hello;
  stream->Read(&hello);
  v1::CoordinatorMessage message;
  message.mutable_welcome()->set_protocol_version(limits::kProtocolVersion);
  message.mutable_welcome()->set_worker_id("fr-lab/gpu-1");
  *message.mutable_welcome()->mutable_heartbeat_interval() = ToProto(heartbeat);
  stream->Write(message);
  return hello.hello();
}

// Reads until the worker hangs up.
void ReadAll(Stream* stream) {
  v1::WorkerMessage message;
  while (stream->Read(&message)) {
  }
}

class CoordinatorLinkTest : public testing::Test {
 protected:
  CoordinatorLink& Start(std::deque<FakeWorkerService::Script> scripts,
                         absl::Duration welcome_wait = kLongEnough) {
    service_.scripts = std::move(scripts);
    CoordinatorLinkOptions options;
    options.coordinator = "coordinator.example:7000";
    options.hello.set_protocol_version(limits::kProtocolVersion);
    options.hello.add_datasets("numbers");
    options.welcome_wait = welcome_wait;
    options.stable_time = stable_time_;
    options.hang_up_wait = kLongEnough;
    options.complete_hello = complete_hello_;
    options.explain = [this] {
      ++explanations_;
      return absl::OkStatus();
    };
    link_ = std::make_unique<CoordinatorLink>(server_.Channel(), &random_, std::move(options));
    link_->Start(&listener_);
    return *link_;
  }

  SystemRandomSource random_;
  FakeWorkerService service_;
  InProcessServer server_{&service_};
  FakeListener listener_;
  std::atomic<int> explanations_ = 0;
  absl::Duration stable_time_ = limits::kStreamStableTime;
  std::function<void(v1::Hello*)> complete_hello_;
  std::unique_ptr<CoordinatorLink> link_;
};

TEST_F(CoordinatorLinkTest, SaysHelloAndHearsTasks) {
  absl::Notification greeted;
  v1::Hello hello;
  Start({[&](Stream* stream) {
    hello = Greet(stream);
    v1::CoordinatorMessage message;
    message.mutable_task();
    stream->Write(message);
    message.mutable_cancelled();
    stream->Write(message);
    greeted.Notify();
    ReadAll(stream);
    return grpc::Status::OK;
  }});

  EXPECT_TRUE(listener_.task.WaitForNotificationWithTimeout(kLongEnough));
  EXPECT_TRUE(listener_.cancelled.WaitForNotificationWithTimeout(kLongEnough));
  greeted.WaitForNotification();
  EXPECT_EQ(hello.protocol_version(), limits::kProtocolVersion);
  EXPECT_THAT(hello.datasets(), testing::ElementsAre("numbers"));
}

// Answers the Hello as a coordinator of that protocol does.
void GreetAs(Stream* stream, uint32_t major, uint32_t minor) {
  v1::WorkerMessage hello;
  stream->Read(&hello);
  v1::CoordinatorMessage message;
  message.mutable_welcome()->set_protocol_version(major);
  message.mutable_welcome()->set_protocol_minor(minor);
  message.mutable_welcome()->set_version("7.8.9");
  message.mutable_welcome()->set_worker_id("fr-lab/gpu-1");
  *message.mutable_welcome()->mutable_heartbeat_interval() = ToProto(absl::Hours(1));
  stream->Write(message);
}

class ProtocolSkewTest : public CoordinatorLinkTest {
 protected:
  // What the worker says to a coordinator of 1.<minor> when it wants to say that it is away, and
  // then that it took a task.
  std::vector<v1::WorkerMessage::KindCase> SaidTo(uint32_t minor) {
    absl::Notification heard;
    std::vector<v1::WorkerMessage::KindCase> kinds;
    CoordinatorLink& link = Start({[&](Stream* stream) {
      GreetAs(stream, limits::kProtocolVersion, minor);
      v1::CoordinatorMessage task;
      task.mutable_task();
      stream->Write(task);
      v1::WorkerMessage said;
      while (!said.has_accepted() && stream->Read(&said)) kinds.push_back(said.kind_case());
      heard.Notify();
      ReadAll(stream);
      return grpc::Status::OK;
    }});
    EXPECT_TRUE(listener_.task.WaitForNotificationWithTimeout(kLongEnough));
    v1::WorkerMessage away;
    away.mutable_away();
    link.Send(away);
    v1::WorkerMessage accepted;
    accepted.mutable_accepted();
    link.Send(accepted);
    EXPECT_TRUE(heard.WaitForNotificationWithTimeout(kLongEnough));
    return kinds;
  }
};

TEST_F(ProtocolSkewTest, OlderCoordinatorIsNotToldWhatItDoesNotKnow) {
  EXPECT_THAT(SaidTo(limits::kProtocolMinor - 1),
              testing::ElementsAre(v1::WorkerMessage::kAccepted));
}

TEST_F(ProtocolSkewTest, SameAndNewerCoordinatorsAreToldEverything) {
  EXPECT_THAT(SaidTo(limits::kProtocolMinor + 1),
              testing::ElementsAre(v1::WorkerMessage::kAway, v1::WorkerMessage::kAccepted));
}

TEST_F(ProtocolSkewTest, CoordinatorOfAnotherProtocolIsNotWorkedFor) {
  Start({[](Stream* stream) {
    GreetAs(stream, limits::kProtocolVersion + 1, 0);
    v1::CoordinatorMessage task;
    task.mutable_task();
    stream->Write(task);
    ReadAll(stream);
    return grpc::Status::OK;
  }});

  EXPECT_TRUE(service_.WaitForAttachments(2));
  EXPECT_FALSE(listener_.task.HasBeenNotified());
  EXPECT_EQ(explanations_, 0) << "there is nothing to look for";
}

TEST(CheckWelcomeTest, OtherProtocolIsToldBothVersionsAndWhatToInstall) {
  v1::Welcome welcome;
  welcome.set_version("7.8.9");
  for (const uint32_t major : {limits::kProtocolVersion - 1, limits::kProtocolVersion + 1}) {
    welcome.set_protocol_version(major);
    const absl::Status misfit = CheckWelcome(welcome);
    EXPECT_EQ(misfit.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(misfit.message(),
              absl::StrCat("the coordinator speaks protocol ", major,
                           ".0, this worker protocol 1.1; install entente-worker 7.8.9, the "
                           "coordinator's version"));
  }
  welcome.set_protocol_version(limits::kProtocolVersion);
  EXPECT_TRUE(CheckWelcome(welcome).ok());
}

TEST_F(CoordinatorLinkTest, EveryHelloIsCompletedAndEveryWelcomeTold) {
  absl::Notification attached;
  service_.scripts = {[](Stream* stream) {
    EXPECT_EQ(Greet(stream).away().reason(), "lent");
    ReadAll(stream);
    return grpc::Status::OK;
  }};
  CoordinatorLinkOptions options;
  options.coordinator = "coordinator.example:7000";
  options.complete_hello = [](v1::Hello* hello) { hello->mutable_away()->set_reason("lent"); };
  options.on_attached = [&attached] { attached.Notify(); };
  options.explain = [] { return absl::OkStatus(); };
  CoordinatorLink link(server_.Channel(), &random_, std::move(options));
  link.Start(&listener_);

  EXPECT_TRUE(attached.WaitForNotificationWithTimeout(kLongEnough));
  link.Stop("the test is over");
}

TEST_F(CoordinatorLinkTest, ComesBackAfterALoss) {
  Start({[](Stream* stream) {
           Greet(stream);
           return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the coordinator restarts");
         },
         [](Stream* stream) {
           Greet(stream);
           ReadAll(stream);
           return grpc::Status::OK;
         }});

  EXPECT_TRUE(service_.WaitForAttachments(2));
}

TEST_F(CoordinatorLinkTest, TriesAgainThoughItWasRefused) {
  Start({[](Stream*) {
    return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "protocol 1 is not spoken here");
  }});

  EXPECT_TRUE(service_.WaitForAttachments(3));
  EXPECT_EQ(explanations_, 0);  // The coordinator has said why.
}

class PausesTest : public CoordinatorLinkTest {
 protected:
  // How long the worker is away after each of `count` streams that end as `use` returns.
  std::vector<absl::Duration> PausesAfter(int count, const std::function<void(Stream*)>& use,
                                          absl::Duration welcome_wait = kLongEnough) {
    absl::Mutex mu;
    std::optional<absl::Time> cut_at;
    std::vector<absl::Duration> pauses;
    const auto note_return = [&] {
      absl::MutexLock lock(&mu);
      if (cut_at.has_value()) pauses.push_back(SteadyClock().Now() - *cut_at);
    };
    const auto cut = [&](Stream* stream) {
      note_return();
      use(stream);
      absl::MutexLock lock(&mu);
      cut_at = SteadyClock().Now();
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the coordinator restarts");
    };
    std::deque<FakeWorkerService::Script> scripts(static_cast<size_t>(count), cut);
    absl::Notification is_back;
    scripts.emplace_back([&](Stream* stream) {
      note_return();
      Greet(stream);
      if (!is_back.HasBeenNotified()) is_back.Notify();
      ReadAll(stream);
      return grpc::Status::OK;
    });
    Start(std::move(scripts), welcome_wait);
    is_back.WaitForNotification();
    link_->Stop("enough");  // No stream after this one uses what is here.
    absl::MutexLock lock(&mu);
    return pauses;
  }
};

// Pauses are of 125 ms at least and 250 ms at most, twice that, four times that, ... A busy machine
// makes them longer, never shorter.

TEST_F(PausesTest, StreamsThatLastKeepThemShort) {
  stable_time_ = absl::Milliseconds(100);

  const std::vector<absl::Duration> pauses = PausesAfter(6, [this](Stream* stream) {
    Greet(stream);
    absl::SleepFor(2 * stable_time_);
  });

  ASSERT_EQ(pauses.size(), 6U);
  // Had they grown, of 2 s and 4 s at least.
  EXPECT_LT(std::min(pauses[4], pauses[5]), absl::Milliseconds(1900));
}

TEST_F(PausesTest, StreamsThatAreCutAtOnceLetThemGrow) {
  stable_time_ = kLongEnough;

  const std::vector<absl::Duration> pauses = PausesAfter(3, [](Stream* stream) { Greet(stream); });

  ASSERT_EQ(pauses.size(), 3U);
  // Had they not grown, of 250 ms at most.
  EXPECT_GT(pauses[2], absl::Milliseconds(450));
}

TEST_F(PausesTest, StreamsThatNobodyAnswersLetThemGrowHoweverLongTheyLast) {
  stable_time_ = absl::Milliseconds(10);
  const absl::Duration welcome_wait = 10 * stable_time_;
  // When each stream begins, by the worker's own thread: it is the worker that ends them, and the
  // coordinator may see that late.
  std::vector<absl::Time> begun_at;
  complete_hello_ = [&begun_at](v1::Hello*) { begun_at.push_back(SteadyClock().Now()); };

  PausesAfter(3, ReadAll, welcome_wait);

  ASSERT_GE(begun_at.size(), 4U);
  EXPECT_GT(begun_at[3] - begun_at[2] - welcome_wait, absl::Milliseconds(450));
}

TEST_F(CoordinatorLinkTest, LooksForTheReasonWhenTheConnectionFails) {
  Start({[](Stream*) { return grpc::Status(grpc::StatusCode::UNAVAILABLE, "connect failed"); }});

  EXPECT_TRUE(service_.WaitForAttachments(2));
  EXPECT_GE(explanations_, 1);
}

TEST_F(CoordinatorLinkTest, ACoordinatorThatDoesNotAnswerIsGivenUp) {
  Start({[](Stream* stream) {
          ReadAll(stream);
          return grpc::Status::OK;
        }},
        /*welcome_wait=*/absl::Milliseconds(20));

  EXPECT_TRUE(service_.WaitForAttachments(2));
}

TEST_F(CoordinatorLinkTest, ASilentCoordinatorIsGivenUpAfterThreeHeartbeats) {
  std::atomic<int> heartbeats = 0;
  Start({[&](Stream* stream) {
    Greet(stream, absl::Milliseconds(20));
    v1::WorkerMessage message;
    while (stream->Read(&message)) heartbeats += message.has_heartbeat() ? 1 : 0;
    return grpc::Status::OK;
  }});

  EXPECT_TRUE(service_.WaitForAttachments(2));
  EXPECT_GE(heartbeats, 3);
}

TEST_F(CoordinatorLinkTest, SendsWhileAttachedAndDropsOtherwise) {
  absl::Notification may_greet;
  absl::Notification heard;
  std::string job;
  CoordinatorLink& link = Start({[&](Stream* stream) {
    may_greet.WaitForNotification();
    Greet(stream);
    v1::CoordinatorMessage task;
    task.mutable_task();
    stream->Write(task);
    v1::WorkerMessage message;
    stream->Read(&message);
    job = message.accepted().key().job_id();
    heard.Notify();
    ReadAll(stream);
    return grpc::Status::OK;
  }});
  v1::WorkerMessage message;
  message.mutable_accepted()->mutable_key()->set_job_id("too early");
  link.Send(message);
  may_greet.Notify();
  ASSERT_TRUE(listener_.task.WaitForNotificationWithTimeout(kLongEnough));

  message.mutable_accepted()->mutable_key()->set_job_id("in time");
  link.Send(message);

  ASSERT_TRUE(heard.WaitForNotificationWithTimeout(kLongEnough));
  EXPECT_EQ(job, "in time");
}

TEST_F(CoordinatorLinkTest, SaysGoodbyeOnStopping) {
  std::string last_words;
  absl::Notification ended;
  CoordinatorLink& link = Start({[&](Stream* stream) {
    Greet(stream);
    v1::CoordinatorMessage task;
    task.mutable_task();
    stream->Write(task);
    v1::WorkerMessage message;
    while (stream->Read(&message)) {
      if (message.has_goodbye()) last_words = message.goodbye().reason();
    }
    ended.Notify();
    return grpc::Status::OK;
  }});
  ASSERT_TRUE(listener_.task.WaitForNotificationWithTimeout(kLongEnough));

  link.Stop("the worker is stopping");

  ASSERT_TRUE(ended.WaitForNotificationWithTimeout(kLongEnough));
  EXPECT_EQ(last_words, "the worker is stopping");
}

TEST_F(CoordinatorLinkTest, TasksBeforeTheWelcomeAreNotHeard) {
  absl::Notification sent;
  Start({[&](Stream* stream) {
    v1::CoordinatorMessage task;
    task.mutable_task();
    stream->Write(task);
    Greet(stream);
    v1::CoordinatorMessage cancelled;
    cancelled.mutable_cancelled();
    stream->Write(cancelled);
    sent.Notify();
    ReadAll(stream);
    return grpc::Status::OK;
  }});

  ASSERT_TRUE(listener_.cancelled.WaitForNotificationWithTimeout(kLongEnough));
  EXPECT_FALSE(listener_.task.HasBeenNotified());
  sent.WaitForNotification();
}

}  // namespace
}  // namespace entente::worker
