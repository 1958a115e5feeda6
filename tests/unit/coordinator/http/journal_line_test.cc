// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/journal_line.h"

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "coordinator/rounds/round_event.h"

namespace entente::dashboard {
namespace {

store::JournalEntry Refusal() {
  store::JournalEntry entry{
      .job = JobId("mnist-abc234"), .sequence = 9, .at = absl::FromUnixMillis(1'700'000'000'123)};
  auto* const round = entry.record.mutable_round();
  round->set_round_index(2);
  round->set_attempt(1);
  round->mutable_update_refused()->set_worker("fr-lab/gpu-1");
  round->mutable_update_refused()->set_reason("tensor \"w\" holds a NaN");
  return entry;
}

TEST(JournalLineTest, RefusalSaysWhoAndWhy) {
  const auto json = LineJson(Refusal(), 77);

  EXPECT_EQ(json.dump(),
            R"({"position":77,"jobId":"mnist-abc234","sequence":9,)"
            R"("at":"2023-11-14T22:13:20.123Z","event":"update refused","tone":"bad",)"
            R"("worker":"fr-lab/gpu-1","round":3,"attempt":1,"sentence":)"
            R"("fr-lab/gpu-1 sent an update, which was refused: tensor \"w\" holds a NaN"})");
}

TEST(JournalLineTest, AcceptedUpdateHasItsNormWhereItWasMeasured) {
  store::JournalEntry entry = Refusal();
  auto* const accepted = entry.record.mutable_round()->mutable_update_accepted();
  accepted->set_worker("fr-lab/gpu-1");
  accepted->set_digest(std::string(32, 'x'));
  accepted->set_update_bytes(1'234'567);
  accepted->set_examples(40);
  accepted->set_training_loss(0.5);
  EXPECT_EQ(
      LineOf(entry).sentence,
      "fr-lab/gpu-1 sent an update, which was accepted: 1.23 MB, 40 examples, training loss 0.5");

  accepted->set_norm(2.34567);
  EXPECT_EQ(
      LineOf(entry).sentence,
      "fr-lab/gpu-1 sent an update, which was accepted: 1.23 MB, 40 examples, training loss 0.5, "
      "norm 2.346");
}

TEST(JournalLineTest, SubmissionNamesTheSubmitter) {
  store::JournalEntry entry = Refusal();
  entry.record.mutable_submitted()->set_submitter("spiffe://alliance.example/submitter/s");
  entry.record.mutable_submitted()->mutable_recipe()->set_rounds(5);
  entry.record.mutable_submitted()->mutable_recipe()->set_dataset("mnist");
  entry.record.mutable_submitted()->set_initial_model(std::string(32, 'x'));

  const JournalLine line = LineOf(entry);

  EXPECT_EQ(line.event, "submitted");
  EXPECT_EQ(line.sentence,
            "spiffe://alliance.example/submitter/s submitted the job: 5 rounds of mnist");
  EXPECT_EQ(line.attempt, 0U);
}

TEST(JournalLineTest, AbsenceThatIsAwaitedSaysWhose) {
  store::JournalEntry entry = Refusal();
  auto* const awaited = entry.record.mutable_round()->mutable_absence_awaited();
  awaited->set_until_us(1'700'000'000'000'000);
  awaited->set_reason("waiting for fr-lab/gpu-1, away until Tue 14 Nov 22:13 UTC");

  const JournalLine line = LineOf(entry);

  EXPECT_EQ(line.event, "absence awaited");
  EXPECT_EQ(line.sentence,
            "the round waits for who is away: waiting for fr-lab/gpu-1, away until Tue 14 Nov "
            "22:13 UTC");
}

TEST(JournalLineTest, LostUpdateSaysWhoIsAskedAgainAndWhy) {
  store::JournalEntry entry = Refusal();
  auto* const lost = entry.record.mutable_round()->mutable_update_lost();
  lost->set_worker("fr-lab/gpu-1");
  lost->set_reason("its file is missing");

  const JournalLine line = LineOf(entry);

  EXPECT_EQ(line.event, "update lost");
  EXPECT_EQ(line.worker, "fr-lab/gpu-1");
  EXPECT_EQ(line.sentence,
            "fr-lab/gpu-1 was asked again, for its update was lost: its file is missing");
}

TEST(JournalLineTest, StartOfTheCoordinatorSaysWhereTheJobStood) {
  store::JournalEntry entry{.job = JobId("a"), .sequence = 4};
  auto* const started = entry.record.mutable_coordinator_started();
  started->set_standing("round 3 attempt 1 goes on in grace, 3 of 3 needed updates are in");
  EXPECT_EQ(LineOf(entry).sentence,
            "the coordinator was started again: round 3 attempt 1 goes on in grace, 3 of 3 needed "
            "updates are in");

  started->set_version("1.2.3");
  const JournalLine line = LineOf(entry);

  EXPECT_EQ(line.event, "coordinator started");
  EXPECT_EQ(line.tone, Tone::kNeutral);
  EXPECT_EQ(line.attempt, 0U);
  EXPECT_EQ(line.sentence,
            "the coordinator was started again, version 1.2.3: round 3 attempt 1 goes on in grace, "
            "3 of 3 needed updates are in");

  started->set_after_a_crash(true);
  EXPECT_EQ(LineOf(entry).tone, Tone::kBad);
  EXPECT_EQ(LineOf(entry).sentence,
            "the coordinator was started again, version 1.2.3, after a kill, a crash, a power "
            "cut or a failure of its disk: round 3 attempt 1 goes on in grace, 3 of 3 needed "
            "updates are in");
}

TEST(JournalLineTest, NamesAreThoseOfEveryEventThatALineMayHave) {
  std::vector<store::JournalEntry> entries(6);  // The last one cannot be read.
  entries[0].record.mutable_submitted()->set_initial_model(std::string(32, 'x'));
  entries[1].record.mutable_cancelled();
  entries[2].record.mutable_paused();
  entries[3].record.mutable_resumed();
  entries[4].record.mutable_coordinator_started();

  std::set<std::string> expected;
  for (const store::JournalEntry& entry : entries) expected.insert(LineOf(entry).event);
  for (const absl::string_view name : rounds::EventNames()) expected.insert(std::string(name));

  std::set<std::string> names;
  for (const absl::string_view name : EventNames()) names.insert(std::string(name));
  EXPECT_EQ(names, expected);
}

TEST(JournalLineTest, EntryWithoutAnEventIsUnreadableNotFatal) {
  EXPECT_EQ(LineOf(store::JournalEntry{.job = JobId("a"), .sequence = 1}).event, "unreadable");
}

TEST(JournalLineTest, WhatTheEventLedToIsPartOfItAndBadNews) {
  store::JournalEntry entry{.job = JobId("a"), .sequence = 4};
  entry.record.mutable_round()->set_attempt(1);
  entry.record.mutable_round()->mutable_deadline_checked();
  EXPECT_EQ(LineOf(entry).tone, Tone::kNeutral);

  const JournalLine line = LineOf(entry, "attempt 1 was aborted: deadline passed");

  EXPECT_EQ(line.tone, Tone::kBad);
  EXPECT_EQ(line.sentence,
            "the time of the phase was over; attempt 1 was aborted: deadline passed");
}

TEST(JournalLineTest, FiltersAreBySetbackEventMemberAndText) {
  const JournalLine line = LineOf(Refusal());

  EXPECT_TRUE(Fits({}, line));
  EXPECT_TRUE(
      Fits({.event = "update refused", .worker = "fr-lab", .text = "nan", .bad_only = true}, line));
  EXPECT_FALSE(Fits({.event = "update accepted"}, line));
  EXPECT_FALSE(Fits({.worker = "kr-lab"}, line));
  EXPECT_FALSE(Fits({.text = "infinity"}, line));
  EXPECT_FALSE(Fits({.bad_only = true}, JournalLine{.event = "opened"}));
}

TEST(JournalLineTest, BytesHaveThreeDigits) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(999), "999 B");
  EXPECT_EQ(BytesText(407'321), "407 kB");
  EXPECT_EQ(BytesText(1'234'567), "1.23 MB");
  EXPECT_EQ(BytesText(999'999), "1 MB");
}

}  // namespace
}  // namespace entente::dashboard
