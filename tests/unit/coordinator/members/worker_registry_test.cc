// SPDX-License-Identifier: Apache-2.0
#include "coordinator/members/worker_registry.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"

namespace entente::members {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Remembers what was done to it.
class FakeConnection final : public WorkerConnection {
 public:
  void Send(const v1::CoordinatorMessage&) override { ++sent; }
  void Close(const absl::Status& status) override { closed_with = status; }

  int sent = 0;
  absl::Status closed_with;
};

const WorkerId kFr("fr-lab/w");
const WorkerId kKr("kr-lab/w");

class WorkerRegistryTest : public ::testing::Test {
 protected:
  static WorkerDescription Offering(const std::string& dataset) {
    return {.version = "1",
            .datasets = {dataset},
            .sandbox = "bubblewrap",
            .certificate_expires_at = {}};
  }

  SimulatedClock clock_;
  WorkerRegistry registry_{{{MemberId("fr-lab"), "France", "FR", "fr-lab.example"},
                            {MemberId("kr-lab"), "Korea", "KR", "kr-lab.example"}},
                           &clock_,
                           /*workers_max=*/2};
};

TEST_F(WorkerRegistryTest, WorkerIsNamedByItsMember) {
  const PeerIdentity identity{
      .trust_domain = "kr-lab.example", .role = Role::kWorker, .name = "gpu-1", .expires_at = {}};

  ASSERT_OK_AND_ASSIGN(const WorkerId id, registry_.WorkerOf(identity));
  EXPECT_EQ(id, WorkerId("kr-lab/gpu-1"));
}

TEST_F(WorkerRegistryTest, UnknownTrustDomainIsNotFound) {
  const PeerIdentity identity{
      .trust_domain = "xx.example", .role = Role::kWorker, .name = "w", .expires_at = {}};

  EXPECT_THAT(registry_.WorkerOf(identity),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("xx.example")));
}

TEST_F(WorkerRegistryTest, OnlyAttachedWorkersWithTheDataSetAreFound) {
  ASSERT_THAT(registry_.Attach(kKr, Offering("mnist"), std::make_shared<FakeConnection>()), IsOk());
  ASSERT_THAT(registry_.Attach(kFr, Offering("text"), std::make_shared<FakeConnection>()), IsOk());

  EXPECT_THAT(registry_.AttachedWith("mnist"), ElementsAre(kKr));
  EXPECT_TRUE(registry_.AttachedWith("other").empty());
}

TEST_F(WorkerRegistryTest, SecondConnectionReplacesTheFirst) {
  const auto first = std::make_shared<FakeConnection>();
  const auto second = std::make_shared<FakeConnection>();
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), first), IsOk());
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), second), IsOk());

  EXPECT_THAT(first->closed_with, StatusIs(absl::StatusCode::kAborted));
  EXPECT_TRUE(registry_.Send(kFr, {}));
  EXPECT_EQ(second->sent, 1);
  registry_.Detach(kFr, first.get(), "the first one's end says nothing");
  EXPECT_THAT(registry_.AttachedWith("d"), ElementsAre(kFr));
}

TEST_F(WorkerRegistryTest, DetachedWorkerKeepsItsReason) {
  const auto connection = std::make_shared<FakeConnection>();
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), connection), IsOk());
  registry_.Detach(kFr, connection.get(), "the connection ended");

  EXPECT_FALSE(registry_.Send(kFr, {}));
  ASSERT_EQ(registry_.Snapshot().size(), 1U);
  EXPECT_FALSE(registry_.Snapshot()[0].attached);
  EXPECT_EQ(registry_.Snapshot()[0].reason, "the connection ended");
}

TEST_F(WorkerRegistryTest, WhoIsNotAttachedIsSoSinceItLeftOrTheStart) {
  const auto connection = std::make_shared<FakeConnection>();
  EXPECT_FALSE(registry_.DetachedSince(kFr).has_value()) << "nothing is known of it";
  registry_.NoteExpected(kKr);
  const absl::Time start = clock_.Now();
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), connection), IsOk());
  EXPECT_FALSE(registry_.DetachedSince(kFr).has_value());

  clock_.Advance(absl::Seconds(5));
  registry_.Detach(kFr, connection.get(), "the connection ended");
  const absl::Time left = clock_.Now();
  clock_.Advance(absl::Seconds(5));

  EXPECT_EQ(registry_.DetachedSince(kFr), left);
  EXPECT_EQ(registry_.DetachedSince(kKr), start);
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), connection), IsOk());
  EXPECT_FALSE(registry_.DetachedSince(kFr).has_value());
}

TEST_F(WorkerRegistryTest, RefusedWorkerIsKnownByWhyUntilItAttaches) {
  const absl::Time expires_at = clock_.Now() + absl::Hours(24);

  registry_.NoteRefused(
      kFr, {.reason = "it is too old", .version = "0.0.9", .certificate_expires_at = expires_at});

  ASSERT_EQ(registry_.Snapshot().size(), 1U);
  const WorkerSnapshot refused = registry_.Snapshot()[0];
  EXPECT_EQ(refused.id, kFr);
  EXPECT_FALSE(refused.attached);
  EXPECT_TRUE(refused.never_attached);
  EXPECT_EQ(refused.reason, "refused: it is too old");
  EXPECT_EQ(refused.last_heard_at, clock_.Now());
  EXPECT_EQ(refused.description.version, "0.0.9");
  EXPECT_EQ(refused.description.certificate_expires_at, expires_at);
  EXPECT_FALSE(registry_.Send(kFr, {}));

  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), std::make_shared<FakeConnection>()), IsOk());
  EXPECT_TRUE(registry_.Snapshot()[0].attached);
  EXPECT_FALSE(registry_.Snapshot()[0].never_attached);
  EXPECT_EQ(registry_.Snapshot()[0].reason, "");
}

TEST_F(WorkerRegistryTest, RefusalSaysNothingOfAWorkerThatIsAttachedAndWhyItIsNotOnceItHasLeft) {
  const auto connection = std::make_shared<FakeConnection>();
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), connection), IsOk());

  registry_.NoteRefused(kFr, {.reason = "too old", .version = "", .certificate_expires_at = {}});
  EXPECT_TRUE(registry_.Snapshot()[0].attached);
  EXPECT_EQ(registry_.Snapshot()[0].reason, "");

  registry_.Detach(kFr, connection.get(), "the connection ended");
  registry_.NoteRefused(kFr, {.reason = "too old", .version = "", .certificate_expires_at = {}});
  EXPECT_EQ(registry_.Snapshot()[0].reason, "refused: too old");
  EXPECT_FALSE(registry_.Snapshot()[0].never_attached);
}

TEST_F(WorkerRegistryTest,
       MemberWithManyNamesHasAFewRefusedOnesRememberedAndTakesNobodyElsesPlace) {
  registry_.NoteRefused(kKr, {.reason = "no", .version = "", .certificate_expires_at = {}});
  for (size_t i = 0; i <= limits::kRefusedWorkersMax; ++i) {
    clock_.Advance(absl::Seconds(1));
    registry_.NoteRefused(WorkerId(absl::StrCat("fr-lab/", i)),
                          {.reason = "no", .version = "", .certificate_expires_at = {}});
  }

  std::vector<WorkerId> known;
  for (const WorkerSnapshot& each : registry_.Snapshot()) known.push_back(each.id);
  EXPECT_EQ(known.size(), limits::kRefusedWorkersMax + 1);
  EXPECT_THAT(known, ::testing::Contains(kKr));
  EXPECT_THAT(known, ::testing::Not(::testing::Contains(WorkerId("fr-lab/0"))));
}

TEST_F(WorkerRegistryTest, RefusalIsHeardOfOnceHoweverOftenItIsRepeated) {
  int heard = 0;
  registry_.SetRefusalListener([&heard] { ++heard; });

  for (int i = 0; i < 5; ++i) {
    clock_.Advance(absl::Seconds(1));
    registry_.NoteRefused(kFr, {.reason = "no", .version = "", .certificate_expires_at = {}});
  }
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(registry_.Snapshot()[0].last_heard_at, clock_.Now());

  registry_.NoteRefused(kFr, {.reason = "yet", .version = "", .certificate_expires_at = {}});
  EXPECT_EQ(heard, 2);
  registry_.CloseAll(absl::UnavailableError("stopping"));
  registry_.NoteRefused(kKr, {.reason = "no", .version = "", .certificate_expires_at = {}});
  EXPECT_EQ(heard, 2);
}

TEST_F(WorkerRegistryTest, WhoIsExpectedIsMissedUntilItAttaches) {
  registry_.NoteExpected(kFr);
  registry_.NoteExpected(WorkerId("no-lab/w"));

  ASSERT_EQ(registry_.Snapshot().size(), 1U);
  const WorkerSnapshot expected = registry_.Snapshot()[0];
  EXPECT_EQ(expected.id, kFr);
  EXPECT_FALSE(expected.attached);
  EXPECT_TRUE(expected.never_attached);
  EXPECT_EQ(expected.reason, "not attached since the coordinator's start");
  EXPECT_EQ(expected.last_heard_at, clock_.Now());

  ASSERT_THAT(registry_.Attach(kFr, Offering("mnist"), std::make_shared<FakeConnection>()), IsOk());
  registry_.NoteExpected(kFr);
  EXPECT_TRUE(registry_.Snapshot()[0].attached);
  EXPECT_FALSE(registry_.Snapshot()[0].never_attached);
}

TEST_F(WorkerRegistryTest, MoreWorkersThanAllowedAreRefusedWithTheNumber) {
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), std::make_shared<FakeConnection>()), IsOk());
  ASSERT_THAT(registry_.Attach(kKr, Offering("d"), std::make_shared<FakeConnection>()), IsOk());

  EXPECT_THAT(
      registry_.Attach(WorkerId("kr-lab/x"), Offering("d"), std::make_shared<FakeConnection>()),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("2 workers")));
}

TEST_F(WorkerRegistryTest, ListenerHearsOfComingAndGoing) {
  std::vector<std::pair<WorkerId, bool>> heard;
  registry_.SetListener(
      [&](const WorkerId& id, bool attached) { heard.emplace_back(id, attached); });
  const auto connection = std::make_shared<FakeConnection>();
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), connection), IsOk());
  registry_.Detach(kFr, connection.get(), "gone");

  EXPECT_THAT(heard, ElementsAre(std::pair(kFr, true), std::pair(kFr, false)));
}

TEST_F(WorkerRegistryTest, WorkerThatIsAwayIsAttachedAndNotAvailable) {
  std::vector<std::pair<WorkerId, bool>> heard;
  registry_.SetListener(
      [&](const WorkerId& id, bool attached) { heard.emplace_back(id, attached); });
  const auto connection = std::make_shared<FakeConnection>();
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), connection), IsOk());
  v1::Away away;
  away.set_reason("maintenance");

  registry_.SetAway(kFr, connection.get(), away);
  registry_.SetAway(kFr, connection.get(), away);

  EXPECT_THAT(registry_.AttachedWith("d"), ElementsAre(kFr));
  EXPECT_TRUE(registry_.AvailableWith("d").empty());
  ASSERT_TRUE(registry_.AwayOf(kFr).has_value());
  EXPECT_EQ(registry_.AwayWith("d").at(kFr).reason(), "maintenance");
  EXPECT_TRUE(registry_.AwayWith("e").empty());

  registry_.SetAway(kFr, connection.get(), std::nullopt);

  EXPECT_THAT(registry_.AvailableWith("d"), ElementsAre(kFr));
  EXPECT_THAT(heard, ElementsAre(std::pair(kFr, true), std::pair(kFr, true), std::pair(kFr, true)))
      << "attached, away once, back";
}

TEST_F(WorkerRegistryTest, AwayIsKeptWhileNotAttachedAndReplacedByTheNextHello) {
  WorkerDescription description = Offering("d");
  description.away.emplace().set_reason("maintenance");
  description.protocol_minor = 1;
  const auto connection = std::make_shared<FakeConnection>();
  ASSERT_THAT(registry_.Attach(kFr, description, connection), IsOk());
  EXPECT_TRUE(registry_.AvailableWith("d").empty());
  EXPECT_EQ(registry_.ProtocolMinorOf(kFr), 1U);
  EXPECT_EQ(registry_.ProtocolMinorOf(kKr), 0U);

  registry_.Detach(kFr, connection.get(), "the connection ended");
  EXPECT_EQ(registry_.AwayWith("d").count(kFr), 1U);
  registry_.SetAway(kFr, connection.get(), std::nullopt);
  EXPECT_TRUE(registry_.AwayOf(kFr).has_value()) << "that connection is gone";

  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), connection), IsOk());
  EXPECT_FALSE(registry_.AwayOf(kFr).has_value());
}

TEST_F(WorkerRegistryTest, SnapshotCountsBytesAndActivity) {
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), std::make_shared<FakeConnection>()), IsOk());
  registry_.AddBytes(kFr, 3, 5);
  registry_.AddBytes(kFr, 1, 0);
  registry_.SetActivity(kFr, "training");
  clock_.Advance(absl::Seconds(9));
  registry_.Heard(kFr);

  const WorkerSnapshot snapshot = registry_.Snapshot()[0];
  EXPECT_EQ(snapshot.bytes_up, 4U);
  EXPECT_EQ(snapshot.bytes_down, 5U);
  EXPECT_EQ(snapshot.activity, "training");
  EXPECT_EQ(snapshot.last_heard_at, clock_.Now());
}

TEST_F(WorkerRegistryTest, StepsComeAndGoWithTheirActivity) {
  const auto connection = std::make_shared<FakeConnection>();
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), connection), IsOk());

  registry_.SetActivity(kFr, "training", 40, 200);
  EXPECT_EQ(registry_.Snapshot()[0].step, 40U);
  EXPECT_EQ(registry_.Snapshot()[0].step_count, 200U);
  registry_.SetActivity(kFr, "");
  EXPECT_EQ(registry_.Snapshot()[0].step_count, 0U);

  registry_.SetActivity(kFr, "training", 40, 200);
  registry_.Detach(kFr, connection.get(), "the connection ended");
  EXPECT_EQ(registry_.Snapshot()[0].step, 0U);
  EXPECT_EQ(registry_.Snapshot()[0].step_count, 0U);
}

TEST_F(WorkerRegistryTest, CloseAllReachesEverybody) {
  const auto connection = std::make_shared<FakeConnection>();
  ASSERT_THAT(registry_.Attach(kFr, Offering("d"), connection), IsOk());
  registry_.CloseAll(absl::UnavailableError("stopping"));

  EXPECT_THAT(connection->closed_with, StatusIs(absl::StatusCode::kUnavailable));
}

// A worker that was greeted just before the coordinator stops must not stay, forgotten.
TEST_F(WorkerRegistryTest, WhoAttachesAfterCloseAllIsToldTheSame) {
  registry_.CloseAll(absl::UnavailableError("stopping"));

  EXPECT_THAT(registry_.Attach(kFr, Offering("d"), std::make_shared<FakeConnection>()),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(registry_.AttachedWith("d").empty());
}

TEST_F(WorkerRegistryTest, WorkerCanWriteWhatItSaid) {
  WorkerDescription description = Offering("d");
  description.encodings = {v1::Updates::ENCODING_INT8};
  ASSERT_THAT(registry_.Attach(kFr, description, std::make_shared<FakeConnection>()), IsOk());

  EXPECT_TRUE(registry_.CanWrite(kFr, v1::Updates::ENCODING_INT8));
  EXPECT_FALSE(registry_.CanWrite(kFr, v1::Updates::ENCODING_TOPK));
  EXPECT_FALSE(registry_.CanWrite(kKr, v1::Updates::ENCODING_INT8));
}

}  // namespace
}  // namespace entente::members
