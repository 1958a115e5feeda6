// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/text_layout.h"
#include "tests/unit/cli/job_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Le;
using ::testing::Not;
using ::testing::ResultOf;
using ::testing::SizeIs;
using ::testing::StartsWith;

const absl::Time kViewedAt = absl::FromUnixSeconds(kSubmittedAt + 72);

// Round 3 of 12 in its middle.
WatchPicture CollectingPicture() {
  WatchPicture picture;
  picture.job = RunningJob(2);
  picture.job.mutable_round()->set_waiting_for(
      "waiting for fr-lab/gpu-1; 2 of 3 in; closes in 41 s");
  picture.job.mutable_round()->set_updates_accepted(2);
  *picture.job.mutable_expected_end_at() = ToProto(kViewedAt + absl::Seconds(363));
  v1::Participant* accepted =
      AddParticipant(&picture.job, "BR", "br-lab/gpu-1", v1::PARTICIPANT_STATE_ACCEPTED);
  accepted->set_examples(6211);
  accepted->set_update_bytes(421990);
  accepted->set_training_loss(0.581);
  v1::Participant* working =
      AddParticipant(&picture.job, "FR", "fr-lab/gpu-1", v1::PARTICIPANT_STATE_WORKING);
  working->set_activity("training");
  working->set_step(100);
  working->set_step_count(200);
  v1::Participant* declined =
      AddParticipant(&picture.job, "IN", "in-lab/gpu-1", v1::PARTICIPANT_STATE_DECLINED);
  declined->set_reason("policy rule \"nights-only\"");
  picture.committed = {CommittedRound(0, 0.9, 0.6), CommittedRound(1, 0.6123, 0.782)};
  picture.now = kViewedAt;
  return picture;
}

std::string Text(const WatchPicture& picture, const WatchViewOptions& options) {
  return absl::StrJoin(WatchLines(picture, options), "\n");
}

TEST(WatchViewTest, ShowsEverythingOnAWideTerminal) {
  EXPECT_EQ(Text(CollectingPicture(), {.width = 100, .height = 30}),
            "fashion-mnist-k3x9qa  running" + std::string(38, ' ') +
                "1 min 12 s, about 6 min 03 s left\n"
                "round 3/12  █████░░░░░░░░░░░░░░░░░░░░  collecting: 5 workers were asked\n"
                "waiting for fr-lab/gpu-1; 2 of 3 in; closes in 41 s\n"
                "\n"
                "  BR  br-lab/gpu-1  accepted  6,211 examples, 412.1 KiB, training loss 0.581\n"
                "  FR  fr-lab/gpu-1  working   training ██████░░░░░░ 100/200\n"
                "  IN  in-lab/gpu-1  declined  policy rule \"nights-only\"\n"
                "\n"
                "loss      0.6123   █▁\n"
                "accuracy  78.2 %   ▁█\n"
                "4.1 MiB up, 8.2 MiB down");
}

TEST(WatchViewTest, LongestStateMakesTheColumn) {
  WatchPicture picture = CollectingPicture();
  v1::Participant* const unfinished =
      AddParticipant(&picture.job, "JP", "jp-lab/gpu-1", v1::PARTICIPANT_STATE_UNFINISHED);
  unfinished->set_reason("was not finished when the attempt ended");

  EXPECT_THAT(Text(picture, {.width = 100, .height = 30}),
              AllOf(HasSubstr("  IN  in-lab/gpu-1  declined    policy rule \"nights-only\"\n"),
                    HasSubstr("  JP  jp-lab/gpu-1  unfinished  was not finished when the attempt "
                              "ended\n")));
}

TEST(WatchViewTest, JobThatTakesLongerThanItsRoundsSoFarIsLate) {
  WatchPicture picture = CollectingPicture();
  picture.now += absl::Minutes(2);

  EXPECT_THAT(Text(picture, {.width = 100, .height = 30}),
              AllOf(HasSubstr("3 min 12 s, later than expected\n"), Not(HasSubstr("left"))));
}

TEST(WatchViewTest, NoLineIsWiderThanTheTerminal) {
  for (size_t width = 1; width <= 120; ++width) {
    EXPECT_THAT(
        WatchLines(CollectingPicture(), {.width = width, .height = 30}),
        Each(ResultOf([](const std::string& line) { return DisplayWidth(line); }, Le(width))))
        << "width " << width;
    EXPECT_THAT(
        WatchLines(CollectingPicture(), {.width = width, .height = 30, .colour = true}),
        Each(ResultOf([](const std::string& line) { return DisplayWidth(line); }, Le(width))))
        << "width " << width;
  }
}

TEST(WatchViewTest, NoMoreLinesThanTheTerminalHas) {
  for (size_t height = 1; height <= 20; ++height) {
    EXPECT_THAT(WatchLines(CollectingPicture(), {.width = 80, .height = height}),
                SizeIs(Le(height)));
  }
}

TEST(WatchViewTest, NarrowTerminalDropsTheBarsOfParticipants) {
  EXPECT_THAT(WatchLines(CollectingPicture(), {.width = 60, .height = 30}),
              Contains(AllOf(HasSubstr("fr-lab/gpu-1"), HasSubstr("training 100/200"))));
}

TEST(WatchViewTest, ParticipantsWithoutRoomAreCounted) {
  WatchPicture picture = CollectingPicture();
  for (int i = 0; i < 20; ++i) {
    AddParticipant(&picture.job, "KR", absl::StrCat("kr-lab/gpu-", i),
                   v1::PARTICIPANT_STATE_INVITED);
  }

  const std::vector<std::string> lines = WatchLines(picture, {.width = 80, .height = 16});

  EXPECT_THAT(lines, SizeIs(16));
  EXPECT_THAT(lines, Contains("  and 16 more"));
}

TEST(WatchViewTest, AttemptAfterTheFirstIsSaid) {
  WatchPicture picture = CollectingPicture();
  picture.job.mutable_round()->set_attempt(2);

  EXPECT_THAT(Text(picture, {}), HasSubstr("collecting, attempt 2: "));
}

TEST(WatchViewTest, GracePhaseIsNamed) {
  WatchPicture picture = CollectingPicture();
  picture.job.mutable_round()->set_phase(v1::ROUND_PHASE_GRACE);

  EXPECT_THAT(Text(picture, {}), HasSubstr("grace: 5 workers were asked"));
}

TEST(WatchViewTest, LossIsTheTrainingsWhereNobodyEvaluates) {
  WatchPicture picture = CollectingPicture();
  for (v1::Round& round : picture.committed) {
    round.set_training_loss(round.evaluation().loss());
    round.clear_evaluation();
  }

  EXPECT_THAT(WatchLines(picture, {.width = 100, .height = 30}),
              AllOf(Contains("training loss  0.6123   █▁"), Not(Contains(HasSubstr("accuracy")))));
}

TEST(WatchViewTest, JobBeforeItsFirstRoundShowsNoRound) {
  WatchPicture picture;
  picture.job = RunningJob(0);
  picture.job.clear_round();
  picture.now = kViewedAt;

  EXPECT_THAT(Text(picture, {.width = 80, .height = 24}),
              AllOf(HasSubstr("round 0/12"), Not(HasSubstr("waiting")), Not(HasSubstr("loss"))));
}

TEST(WatchViewTest, EndedJobShowsItsReasonAndWaitsForNothing) {
  WatchPicture picture = CollectingPicture();
  picture.job.set_state(v1::JOB_STATE_FAILED);
  picture.job.set_reason("round 3 failed 3 times: quorum lost");

  EXPECT_THAT(Text(picture, {.width = 100, .height = 30}),
              AllOf(HasSubstr("failed"), HasSubstr("round 3 failed 3 times: quorum lost"),
                    Not(HasSubstr("waiting for")), Not(HasSubstr("left"))));
}

TEST(WatchViewTest, CompletedJobHasAFullBar) {
  WatchPicture picture;
  picture.job = EndedJob(v1::JOB_STATE_COMPLETED, "all rounds were committed");
  picture.now = kViewedAt;

  EXPECT_THAT(Text(picture, {.width = 80, .height = 24}),
              HasSubstr("round 12/12  ████████████████████  all rounds were committed"));
}

TEST(WatchViewTest, LostConnectionIsSaid) {
  WatchPicture picture = CollectingPicture();
  picture.note = "cannot reach the coordinator x:1: refused; trying again";

  EXPECT_THAT(WatchLines(picture, {}), Contains(StartsWith("cannot reach the coordinator")));
}

TEST(WatchViewTest, ColoursAreOnlyThereWhenAskedFor) {
  EXPECT_THAT(Text(CollectingPicture(), {}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(Text(CollectingPicture(), {.colour = true}), HasSubstr("\x1b[32maccepted"));
}

TEST(WatchViewTest, FailedWorkerIsRed) {
  WatchPicture picture = CollectingPicture();
  picture.job.mutable_round()->mutable_participants(2)->set_state(v1::PARTICIPANT_STATE_FAILED);

  EXPECT_THAT(Text(picture, {.colour = true}), HasSubstr("\x1b[31mfailed"));
}

TEST(WatchViewTest, LongReasonsAreWrappedAndNotCut) {
  WatchPicture picture = CollectingPicture();
  picture.job.mutable_round()->mutable_participants(2)->set_reason(
      "rule default-deny: no rule of this site's policy allows jobs that train on the data set "
      "patients");
  picture.job.set_state(v1::JOB_STATE_FAILED);
  picture.job.set_reason(
      "round 3 failed in 3 attempts, the last because quorum of 3 is out of reach with 1 in, "
      "declined in-lab/gpu-1");

  EXPECT_THAT(WatchLines(picture, {.width = 72, .height = 30}),
              AllOf(IsSupersetOf({"round 3 failed in 3 attempts, the last because quorum of 3 is "
                                  "out of",
                                  "reach with 1 in, declined in-lab/gpu-1"}),
                    IsSupersetOf({"  IN  in-lab/gpu-1  declined  rule default-deny: no rule of "
                                  "this site's",
                                  "                              policy allows jobs that train on "
                                  "the data",
                                  "                              set patients"})));
}

TEST(WatchViewTest, LongReasonsTakeOnlyTheRoomThereIs) {
  WatchPicture picture = CollectingPicture();
  for (int i = 0; i < 3; ++i) {
    v1::Participant* const participant = picture.job.mutable_round()->mutable_participants(i);
    participant->set_state(v1::PARTICIPANT_STATE_FAILED);
    participant->set_reason(std::string(150, 'x') + " " + std::string(400, 'y'));
  }

  for (size_t height = 1; height <= 40; ++height) {
    for (const size_t width : {1, 20, 39, 50, 80}) {
      const std::vector<std::string> lines =
          WatchLines(picture, {.width = width, .height = height});
      EXPECT_THAT(lines, SizeIs(Le(height)));
      EXPECT_THAT(lines, Each(ResultOf([](const std::string& line) { return DisplayWidth(line); },
                                       Le(width))));
    }
  }
  EXPECT_THAT(Text(picture, {.width = 80, .height = 13}), HasSubstr("IN")) << "nobody is lost";
}

TEST(WatchViewTest, HostileTextCannotSteerTheTerminal) {
  WatchPicture picture = CollectingPicture();
  picture.job.mutable_round()->set_reason("\x1b[2Jgone");
  picture.job.mutable_round()->mutable_participants(2)->set_reason("a\r\nb");

  EXPECT_THAT(Text(picture, {}), AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\r"))));
}

}  // namespace
}  // namespace entente::cli
