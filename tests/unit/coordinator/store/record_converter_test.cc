// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/record_converter.h"

#include <gmock/gmock.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/recipe/recipe.h"
#include "tests/support/status_matchers.h"

namespace entente::store {
namespace {

const WorkerId kFr("fr-lab/w");

// One of each, every field set.
std::vector<rounds::RoundEvent> EveryEvent() {
  const rounds::UpdateRecord update{.digest = Sha256Of("u"),
                                    .bytes = 40,
                                    .examples = 7,
                                    .training_loss = 0.25,
                                    .sent_bytes = 30,
                                    .norm = 0.1};
  return {rounds::Opened{{kFr, WorkerId("kr-lab/w")}},
          rounds::TaskAccepted{kFr},
          rounds::TaskDeclined{kFr, "rule r: why"},
          rounds::UpdateAccepted{kFr, update},
          rounds::UpdateRefused{kFr, "NaN", {.digest = Sha256Of("r"), .bytes = 41}},
          rounds::WorkerMissing{kFr, "silent"},
          rounds::WorkerFailed{kFr, "no data"},
          rounds::WorkerReturned{kFr},
          rounds::DeadlineChecked{2},
          rounds::Aggregated{Sha256Of("m"), Sha256Of("o"), {{kFr, 0.1}}},
          rounds::AggregationFailed{"disk"},
          rounds::Evaluated{kFr, {.examples = 9, .loss = 0.5, .accuracy = 0.75}},
          rounds::EvaluationFailed{kFr, "no data"},
          rounds::Cancelled{"stop"},
          rounds::WorkerSkipped{kFr, "away until Mon 30 Nov 08:00 UTC"},
          rounds::UpdateLost{kFr, "its file is damaged"},
          rounds::AbsenceAwaited{absl::FromUnixMicros(1'700'000'000'000'001), "away"}};
}

TEST(RecordConverterTest, EveryRoundEventComesBackAsItWas) {
  ASSERT_EQ(EveryEvent().size(), std::variant_size_v<rounds::RoundEvent>);
  for (const rounds::RoundEvent& event : EveryEvent()) {
    SCOPED_TRACE(rounds::EventName(event));
    const storage::v1::JobRecord record = ToRecord(jobs::RoundHappened{3, 2, event});

    const auto back = FromRecord(record);

    ASSERT_THAT(back, IsOk());
    const auto& happened = std::get<jobs::RoundHappened>(*back);
    EXPECT_EQ(happened.round_index, 3U);
    EXPECT_EQ(happened.attempt, 2U);
    ASSERT_EQ(happened.event.index(), event.index());
    // Equal records mean equal events: every field of an event is in its record.
    EXPECT_EQ(ToRecord(*back).SerializeAsString(), record.SerializeAsString());
  }
}

TEST(RecordConverterTest, WhetherAnAbsenceIsExcusedComesBackAndIsNotSaidByOlderJournals) {
  const rounds::WorkerSkipped skipped{kFr, "away"};
  const auto excused = FromRecord(ToRecord(jobs::RoundHappened{0, 1, skipped, true}));
  ASSERT_THAT(excused, IsOk());
  EXPECT_TRUE(std::get<jobs::RoundHappened>(*excused).excuses_absence);

  // As a program of before wrote it: field 2, in it the attempt, and the worker in field 17.
  storage::v1::JobRecord record;
  ASSERT_TRUE(
      record.ParseFromString(std::string("\x12\x0f\x10\x01\x8a\x01\x0a\x0a\x08"
                                         "fr-lab/w",
                                         17)));
  ASSERT_TRUE(record.round().has_worker_skipped());
  const auto older = FromRecord(record);
  ASSERT_THAT(older, IsOk());
  EXPECT_FALSE(std::get<jobs::RoundHappened>(*older).excuses_absence);
}

TEST(RecordConverterTest, UpdatesWithoutRoomComeBackAsTheyWere) {
  const auto checked = FromRecord(ToRecord(jobs::RoundHappened{0, 1, rounds::DeadlineChecked{2}}));

  ASSERT_THAT(checked, IsOk());
  const auto& happened = std::get<jobs::RoundHappened>(*checked);
  EXPECT_EQ(std::get<rounds::DeadlineChecked>(happened.event).updates_without_room, 2U);
}

TEST(RecordConverterTest, PauseAndResumeComeBackAsTheyWere) {
  const auto paused =
      FromRecord(ToRecord(jobs::JobPaused{.reason = "by s: power cut", .now = true}));
  ASSERT_THAT(paused, IsOk());
  EXPECT_EQ(std::get<jobs::JobPaused>(*paused).reason, "by s: power cut");
  EXPECT_TRUE(std::get<jobs::JobPaused>(*paused).now);

  const auto resumed = FromRecord(ToRecord(jobs::JobResumed{.reason = "by s"}));
  ASSERT_THAT(resumed, IsOk());
  EXPECT_EQ(std::get<jobs::JobResumed>(*resumed).reason, "by s");
}

TEST(RecordConverterTest, StartOfTheCoordinatorComesBackAsItWas) {
  const auto started = FromRecord(ToRecord(jobs::CoordinatorStarted{
      .version = "1.0.0", .standing = "round 1 waits", .after_a_crash = true}));

  ASSERT_THAT(started, IsOk());
  EXPECT_EQ(std::get<jobs::CoordinatorStarted>(*started).version, "1.0.0");
  EXPECT_EQ(std::get<jobs::CoordinatorStarted>(*started).standing, "round 1 waits");
  EXPECT_TRUE(std::get<jobs::CoordinatorStarted>(*started).after_a_crash);
}

// A journal of before failed workers had an event of their own: field 8 of the round, as bytes.
TEST(RecordConverterTest, FailedWorkerOfAnOlderJournalIsMissing) {
  storage::v1::JobRecord record;
  ASSERT_TRUE(
      record.ParseFromString(std::string("\x12\x18\x10\x01\x42\x14\x0a\x08"
                                         "fr-lab/w"
                                         "\x12\x08"
                                         "bad data",
                                         26)));

  const auto event = FromRecord(record);

  ASSERT_THAT(event, IsOk());
  const auto& missing =
      std::get<rounds::WorkerMissing>(std::get<jobs::RoundHappened>(*event).event);
  EXPECT_EQ(missing.worker, kFr);
  EXPECT_EQ(missing.reason, "bad data");
}

// One byte that is not UTF-8 would make the whole journal unreadable.
TEST(RecordConverterTest, ReasonIsWrittenAsUtf8WhateverItIs) {
  const auto record = ToRecord(jobs::RoundHappened{0, 1, rounds::UpdateRefused{kFr, "caf\xe9"}});

  storage::v1::JobRecord read;
  ASSERT_TRUE(read.ParseFromString(record.SerializeAsString()));
  const auto back = FromRecord(read);
  ASSERT_THAT(back, IsOk());
  EXPECT_EQ(std::get<rounds::UpdateRefused>(std::get<jobs::RoundHappened>(*back).event).reason,
            "caf\xef\xbf\xbd");
}

TEST(RecordConverterTest, UpdateKeepsItsNumbers) {
  const auto back = FromRecord(ToRecord(jobs::RoundHappened{0, 1, EveryEvent()[3]}));

  ASSERT_THAT(back, IsOk());
  const auto& event = std::get<rounds::UpdateAccepted>(std::get<jobs::RoundHappened>(*back).event);
  EXPECT_EQ(event.update, (rounds::UpdateRecord{.digest = Sha256Of("u"),
                                                .bytes = 40,
                                                .examples = 7,
                                                .training_loss = 0.25,
                                                .sent_bytes = 30,
                                                .norm = 0.1}));
}

TEST(RecordConverterTest, NormOfZeroIsNotAnUnknownOne) {
  const rounds::UpdateAccepted accepted{kFr, {.digest = Sha256Of("u"), .norm = 0.0}};

  const auto back = FromRecord(ToRecord(jobs::RoundHappened{0, 1, accepted}));

  ASSERT_THAT(back, IsOk());
  const auto& event = std::get<rounds::UpdateAccepted>(std::get<jobs::RoundHappened>(*back).event);
  EXPECT_EQ(event.update.norm, 0.0);
}

// A journal of before norms were measured: fields 1 to 5 of the update, as bytes.
TEST(RecordConverterTest, UpdateOfAnOlderJournalHasNoNorm) {
  storage::v1::JobRecord record;
  ASSERT_TRUE(record.ParseFromString(absl::StrCat(
      std::string("\x12\x3d\x10\x01\x32\x39\x0a\x08"
                  "fr-lab/w"
                  "\x12\x20",
                  18),
      std::string(32, 'd'), std::string("\x18\x28\x20\x07\x29\0\0\0\0\0\0\xd0\x3f", 13))));

  const auto event = FromRecord(record);

  ASSERT_THAT(event, IsOk());
  const auto& accepted =
      std::get<rounds::UpdateAccepted>(std::get<jobs::RoundHappened>(*event).event);
  EXPECT_EQ(accepted.update.bytes, 40U);
  EXPECT_EQ(accepted.update.examples, 7U);
  EXPECT_EQ(accepted.update.training_loss, 0.25);
  EXPECT_EQ(accepted.update.norm, std::nullopt);
}

TEST(RecordConverterTest, RefusedUpdateKeepsItsDigestAndSize) {
  const auto back = FromRecord(ToRecord(jobs::RoundHappened{0, 1, EveryEvent()[4]}));

  ASSERT_THAT(back, IsOk());
  const auto& event = std::get<rounds::UpdateRefused>(std::get<jobs::RoundHappened>(*back).event);
  EXPECT_EQ(event.worker, kFr);
  EXPECT_EQ(event.reason, "NaN");
  EXPECT_EQ(event.update, (rounds::AnnouncedUpdate{.digest = Sha256Of("r"), .bytes = 41}));
}

// A journal of before the digest was kept: field 7 of the round, as bytes.
TEST(RecordConverterTest, RefusedUpdateOfAnOlderJournalHasNoDigest) {
  storage::v1::JobRecord record;
  ASSERT_TRUE(
      record.ParseFromString(std::string("\x12\x18\x10\x01\x3a\x14\x0a\x08"
                                         "fr-lab/w"
                                         "\x12\x08"
                                         "bad data",
                                         26)));

  const auto event = FromRecord(record);

  ASSERT_THAT(event, IsOk());
  const auto& refused =
      std::get<rounds::UpdateRefused>(std::get<jobs::RoundHappened>(*event).event);
  EXPECT_EQ(refused.worker, kFr);
  EXPECT_EQ(refused.reason, "bad data");
  EXPECT_EQ(refused.update, rounds::AnnouncedUpdate{});
}

TEST(RecordConverterTest, SubmissionRestoresThePlanOfItsRecipe) {
  storage::v1::JobRecord record;
  v1::Recipe* const recipe = record.mutable_submitted()->mutable_recipe();
  recipe->set_rounds(17);
  FillRecipeDefaults(recipe);
  record.mutable_submitted()->set_initial_model(Sha256Of("i").Raw());

  const auto event = FromRecord(record);

  ASSERT_THAT(event, IsOk());
  EXPECT_EQ(std::get<jobs::Submitted>(*event).plan.round_count, 17U);
  EXPECT_EQ(std::get<jobs::Submitted>(*event).initial_model, Sha256Of("i"));
}

TEST(RecordConverterTest, DamagedRecordsAreDataLoss) {
  storage::v1::JobRecord short_digest;
  short_digest.mutable_round()->mutable_update_accepted()->set_digest("abc");

  EXPECT_THAT(FromRecord({}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(FromRecord(short_digest), StatusIs(absl::StatusCode::kDataLoss));
  short_digest.mutable_round()->mutable_update_refused()->set_update_digest("abc");
  EXPECT_THAT(FromRecord(short_digest), StatusIs(absl::StatusCode::kDataLoss));
  storage::v1::JobRecord no_event;
  no_event.mutable_round()->set_attempt(1);
  EXPECT_THAT(FromRecord(no_event), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace entente::store
