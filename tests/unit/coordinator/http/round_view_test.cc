// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/round_view.h"

#include <gmock/gmock.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/http/http_fixture.h"

namespace entente::dashboard {
namespace {

using ::testing::HasSubstr;

class RoundViewTest : public DashboardFixture {};

TEST_F(RoundViewTest, RoundExplainsEachUpdateAndWhatClosedIt) {
  const auto job = EndedJob();

  ASSERT_OK_AND_ASSIGN(const Json json, RoundJson(Sources(), *job, 0, 0));

  const Json& participants = json["round"]["participants"];
  EXPECT_EQ(participants[0]["state"], "accepted");
  EXPECT_EQ(participants[0]["weight"], 1.0);
  EXPECT_EQ(participants[0]["updateNorm"], 1.0);
  EXPECT_EQ(participants[1]["state"], "refused");
  EXPECT_FALSE(participants[1].contains("updateNorm"));
  const std::string refused = UpdateBytes(std::numeric_limits<float>::quiet_NaN(), 0);
  EXPECT_EQ(participants[1]["updateDigest"].get<std::string>(), Sha256Of(refused).ToHex());
  EXPECT_EQ(participants[1]["updateBytes"], refused.size());
  EXPECT_THAT(participants[1]["reason"].get<std::string>(), HasSubstr("w"));
  EXPECT_THAT(json["closedBy"].get<std::string>(), HasSubstr("quorum"));
  EXPECT_EQ(json["phases"].back()["phase"], "committed");
  EXPECT_EQ(json["lines"].front()["event"], "opened");
  EXPECT_EQ(json["lines"].back()["event"], "aggregated");
  EXPECT_EQ(json["attempts"], 1);
}

TEST_F(RoundViewTest, AbortedAttemptEndsWithASetback) {
  const auto job = FailedJob();

  ASSERT_OK_AND_ASSIGN(const Json json, RoundJson(Sources(), *job, 0, 1));

  EXPECT_EQ(json["lines"].back()["tone"], "bad");
  EXPECT_THAT(json["lines"].back()["sentence"].get<std::string>(),
              HasSubstr("attempt 1 was aborted: deadline passed"));
}

TEST_F(RoundViewTest, RoundThatIsNotThereSaysSo) {
  const auto job = EndedJob();

  EXPECT_THAT(RoundJson(Sources(), *job, 7, 0),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("has no round 8 yet")));
  EXPECT_THAT(RoundJson(Sources(), *job, 0, 5),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("attempt 5")));
}

TEST_F(RoundViewTest, HistoryHasARowForEveryAttempt) {
  const auto job = EndedJob();

  const Json json = HistoryJson(job->History(), {});

  ASSERT_EQ(json["rows"].size(), 1U);
  const Json& row = json["rows"][0];
  EXPECT_EQ(row["round"], 1);
  EXPECT_EQ(row["phase"], "committed");
  EXPECT_EQ(row["asked"], 2);
  EXPECT_EQ(row["accepted"], 1);
  EXPECT_EQ(row["refused"], 1);
  EXPECT_GT(row["bytesUp"], 0);
  EXPECT_TRUE(row["seconds"].contains("collecting"));
  EXPECT_EQ(row["members"]["fr-lab"][2], 1.0);
}

rounds::RoundState EvaluatedRound() {
  rounds::RoundState round{.phase = rounds::RoundPhase::kCommitted};
  const auto add = [&round](const std::string& worker, uint64_t examples, double loss,
                            double accuracy) {
    round.participants[WorkerId(worker)] = {
        .state = rounds::ParticipantState::kAccepted,
        .evaluation = rounds::Metrics{.examples = examples, .loss = loss, .accuracy = accuracy}};
  };
  add("fr-lab/a", 100, 0.2, 0.9);
  add("fr-lab/b", 300, 0.4, 0.7);
  add("kr-lab/a", 50, 0.9, 0.5);
  return round;
}

// Of more members than a row has all of: of these rows each has but whom it was asked for.
TEST_F(RoundViewTest, LastEvaluatedAndLastCommittedRowHaveEveryMember) {
  engine::JobHistory history;
  const auto add = [&history](rounds::RoundPhase phase, bool is_evaluated) {
    rounds::RoundState round{.round_index = static_cast<uint32_t>(history.rounds.size()),
                             .phase = phase};
    for (size_t i = 0; i <= kMembersAtOnce; ++i) {
      round.participants[WorkerId(absl::StrCat("lab-", i, "/w"))] = {
          .state = rounds::ParticipantState::kAccepted, .weight = 0.05};
    }
    engine::RoundChronicle chronicle;
    if (is_evaluated) chronicle.evaluation = rounds::Metrics{.examples = 10, .loss = 0.5};
    history.rounds.push_back(std::make_shared<const rounds::RoundState>(std::move(round)));
    history.chronicles.push_back(
        std::make_shared<const engine::RoundChronicle>(std::move(chronicle)));
  };
  add(rounds::RoundPhase::kCommitted, /*is_evaluated=*/true);
  add(rounds::RoundPhase::kCommitted, /*is_evaluated=*/true);
  add(rounds::RoundPhase::kCommitted, /*is_evaluated=*/false);
  add(rounds::RoundPhase::kCommitted, /*is_evaluated=*/false);
  add(rounds::RoundPhase::kAborted, /*is_evaluated=*/false);

  const Json json = HistoryJson(history, {"lab-0"});

  EXPECT_EQ(json["allMembers"], false);
  std::vector<size_t> member_counts;
  for (const Json& row : json["rows"]) member_counts.push_back(row["members"].size());
  EXPECT_THAT(member_counts,
              ::testing::ElementsAre(1U, kMembersAtOnce + 1, 1U, kMembersAtOnce + 1, 1U));
}

TEST_F(RoundViewTest, SpreadIsBetweenMembersWhoseWorkersCountTogether) {
  const Json row = RoundRowJson(EvaluatedRound(), {}, {.all = true});

  EXPECT_EQ(row["bestMember"], "fr-lab");
  EXPECT_EQ(row["worstMember"], "kr-lab");
  EXPECT_DOUBLE_EQ(row["accuracyBest"].get<double>(), 0.75);
  EXPECT_DOUBLE_EQ(row["accuracyWorst"].get<double>(), 0.5);
  EXPECT_DOUBLE_EQ(row["lossBest"].get<double>(), 0.35);
  EXPECT_DOUBLE_EQ(row["lossWorst"].get<double>(), 0.9);
}

TEST_F(RoundViewTest, RowHasTheMembersThatWereAskedFor) {
  const Json row = RoundRowJson(EvaluatedRound(), {}, {.ids = {"kr-lab", "nobody"}});

  EXPECT_EQ(row["members"].dump(), R"({"kr-lab":[0.9,0.5,0.0]})");
}

}  // namespace
}  // namespace entente::dashboard
