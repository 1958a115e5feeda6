// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/screen/styled_text.h"
#include "cli/text_layout.h"
#include "common/config/proto_time.h"
#include "tests/unit/cli/job_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;
using ::testing::ResultOf;
using ::testing::SizeIs;

const absl::Time kShownAt = absl::FromUnixSeconds(kSubmittedAt + 72);

v1::Worker* AddWorker(v1::Member* member, const std::string& id) {
  v1::Worker* worker = member->add_workers();
  worker->set_id(id);
  worker->set_connected(true);
  *worker->mutable_last_seen_at() = ToProto(kShownAt - absl::Seconds(12));
  return worker;
}

v1::Member MemberOf(const std::string& id, const std::string& jurisdiction) {
  v1::Member member;
  member.set_id(id);
  member.set_jurisdiction(jurisdiction);
  return member;
}

// Two jobs; a worker that trains, one that is gone, one that is away, a member without any.
TopPicture FullPicture() {
  TopPicture picture;
  picture.coordinator = "coordinator.alliance.example:7443";
  picture.now = kShownAt;
  v1::Member france = MemberOf("fr-lab", "FR");
  v1::Worker* const training = AddWorker(&france, "fr-lab/gpu-1");
  training->set_activity("training fashion-mnist-k3x9qa round 3");
  training->set_version("0.1.0");
  *training->mutable_certificate_expires_at() = ToProto(kShownAt + absl::Hours(89 * 24 + 5));
  training->set_bytes_up(4'300'000);
  training->set_bytes_down(8'600'000);
  v1::Worker* const gone = AddWorker(&france, "fr-lab/gpu-2");
  gone->set_connected(false);
  gone->set_reason("no heartbeat for 3 s");
  gone->set_version("0.1.0");
  *gone->mutable_certificate_expires_at() = ToProto(kShownAt + absl::Hours(30));
  v1::Member korea = MemberOf("kr-lab", "KR");
  v1::Worker* const away = AddWorker(&korea, "kr-lab/gpu-1");
  away->mutable_away()->set_reason("the GPU is lent");
  *away->mutable_certificate_expires_at() = ToProto(kShownAt);
  away->set_bytes_up(812);
  picture.members = {france, korea, MemberOf("jp-lab", "JP")};

  TopJob running;
  running.job = RunningJob(2);
  running.job.mutable_round()->set_waiting_for("waiting for fr-lab/gpu-1; 2 of 3 in");
  *running.job.mutable_expected_end_at() = ToProto(kShownAt + absl::Seconds(363));
  v1::Participant* const working =
      AddParticipant(&running.job, "FR", "fr-lab/gpu-1", v1::PARTICIPANT_STATE_WORKING);
  working->set_step(120);
  working->set_step_count(200);
  running.job.mutable_evaluation()->set_examples(1000);
  running.job.mutable_evaluation()->set_loss(0.6123);
  running.job.mutable_evaluation()->set_accuracy(0.782);
  running.committed = {CommittedRound(0, 0.9, 0.6), CommittedRound(1, 0.6123, 0.782)};
  TopJob ended;
  ended.job = EndedJob(v1::JOB_STATE_FAILED, "quorum lost");
  ended.job.set_id("older-job");
  picture.jobs = {running, ended};
  return picture;
}

std::string Frame(const TopPicture& picture, const TopFocus& focus, const TopViewOptions& options) {
  return absl::StrJoin(TopLines(picture, focus, options), "\n");
}

// tests/unit/cli/top/frames/<name>.txt: a frame as somebody has looked at it.
std::string GoldenFrame(const std::string& name) {
  std::ifstream file(absl::StrCat(ENTENTE_SOURCE_DIR, "/tests/unit/cli/top/frames/", name, ".txt"));
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

TEST(TopViewTest, EverythingIsOnAWideTerminal) {
  EXPECT_EQ(Frame(FullPicture(), {}, {.width = 132, .height = 14}) + "\n", GoldenFrame("wide"));
}

TEST(TopViewTest, NarrowTerminalKeepsWhatMattersMost) {
  EXPECT_EQ(Frame(FullPicture(), {}, {.width = 72, .height = 13}) + "\n", GoldenFrame("narrow"));
}

TEST(TopViewTest, VersionCertificateAndBytesAreThereFromAHundredAndTwentyColumnsOn) {
  const std::string doing = "training fashion-mnist-k3x9qa round 3 120/200";

  EXPECT_THAT(
      Frame(FullPicture(), {}, {.width = 120, .height = 14}),
      AllOf(HasSubstr("connected         0.1.0  cert 89 d  ↑4.1 MiB ↓8.2 MiB  " + doing),
            HasSubstr("0.1.0  cert 30 h  ↑0 B ↓0 B"), HasSubstr("  expired    ↑812 B ↓0 B")));
  EXPECT_THAT(Frame(FullPicture(), {}, {.width = 119, .height = 14}),
              AllOf(HasSubstr("connected         training fashion-mnist-k3x9qa round 3 ██████"),
                    Not(HasSubstr("cert 89 d"))));
}

TEST(TopViewTest, LongVersionLeavesRoomForWhatItsWorkerDoes) {
  TopPicture picture = FullPicture();
  picture.members[0].mutable_workers(0)->set_version(std::string(100, '7'));

  EXPECT_THAT(Frame(picture, {}, {.width = 132, .height = 14}),
              HasSubstr("77…  cert 89 d  ↑4.1 MiB ↓8.2 MiB  training fashion-mnist"));
}

TEST(TopViewTest, HowLongAWorkerIsGoneIsNotCutShort) {
  TopPicture picture = FullPicture();
  v1::Worker* const gone = picture.members[0].mutable_workers(1);
  *gone->mutable_last_seen_at() = ToProto(kShownAt - absl::Seconds(17 * 60 + 2));

  EXPECT_THAT(Frame(picture, {}, {.width = 80, .height = 14}),
              HasSubstr("fr-lab/gpu-2  gone 17 min 02 s  no heartbeat for 3 s"));
}

TEST(TopViewTest, WhatIsLeftOfAJobIsNotClaimedWhenNobodyKnows) {
  TopPicture late = FullPicture();
  late.now += absl::Minutes(2);
  TopPicture first_round = FullPicture();
  first_round.jobs[0].job.clear_expected_end_at();

  EXPECT_THAT(Frame(late, {}, {.width = 132, .height = 14}), HasSubstr("running    3/12   late  "));
  EXPECT_THAT(Frame(first_round, {}, {.width = 132, .height = 14}),
              HasSubstr("running    3/12   -  "));
}

TEST(TopViewTest, TrainingLossIsNotShownForTheHeldOutOne) {
  TopPicture picture = FullPicture();
  picture.jobs[0].job.clear_evaluation();
  for (v1::Round& round : picture.jobs[0].committed) {
    round.set_training_loss(round.evaluation().loss());
    round.clear_evaluation();
  }

  EXPECT_THAT(Frame(picture, {}, {.width = 132, .height = 14}), Not(HasSubstr("0.6123")));
}

TEST(TopViewTest, NoFrameIsLargerThanItsTerminal) {
  for (const size_t width : {0UL, 1UL, 7UL, 20UL, 40UL, 80UL, 200UL}) {
    for (const size_t height : {0UL, 1UL, 2UL, 5UL, 9UL, 24UL}) {
      for (const bool help : {false, true}) {
        for (const TopFocus::Page page : {TopFocus::Page::kOverview, TopFocus::Page::kJob}) {
          TopFocus focus;
          focus.page = page;
          focus.job = "fashion-mnist-k3x9qa";
          focus.help = help;
          const auto lines =
              TopLines(FullPicture(), focus, {.width = width, .height = height, .colour = true});
          EXPECT_THAT(lines, SizeIs(height));
          EXPECT_THAT(lines, Each(ResultOf(DisplayWidth, Le(width)))) << width << "x" << height;
        }
      }
    }
  }
}

TEST(TopViewTest, ChosenJobIsAlwaysAmongThoseShown) {
  TopPicture picture = FullPicture();
  for (int i = 0; i < 100; ++i) {
    TopJob job;
    job.job.set_id(absl::StrCat("job-", i));
    job.job.set_state(v1::JOB_STATE_RUNNING);
    picture.jobs.push_back(job);
  }
  picture.jobs_left_out = 7;
  for (const std::string chosen : {"fashion-mnist-k3x9qa", "job-50", "job-99"}) {
    TopFocus focus;
    focus.job = chosen;
    EXPECT_THAT(Frame(picture, focus, {.width = 100, .height = 20}),
                AllOf(HasSubstr("> " + chosen), HasSubstr("of 102"), HasSubstr("109 in all")));
  }
}

TEST(TopViewTest, LongFederationLeavesRoomForTheJobs) {
  TopPicture picture = FullPicture();
  for (int i = 0; i < 200; ++i) {
    v1::Member member = MemberOf(absl::StrCat("m", i), "FR");
    AddWorker(&member, absl::StrCat("m", i, "/gpu-1"));
    picture.members.push_back(member);
  }

  EXPECT_THAT(Frame(picture, {}, {.width = 100, .height = 24}),
              AllOf(HasSubstr("1 to 15 of 204"), HasSubstr("older-job")));
}

TEST(TopViewTest, HostileNamesAreShownAsText) {
  TopPicture picture = FullPicture();
  picture.members[0].set_id("\x1b[2Jevil");
  picture.members[0].mutable_workers(0)->set_id("a\x1b]0;owned\a/b");
  picture.members[0].mutable_workers(0)->set_activity(
      "x\r\ny\xc2\x9b"
      "31m");
  picture.jobs[0].job.set_id("j\x1b[1mb");
  picture.jobs[0].job.mutable_round()->set_waiting_for("\x1b[31mwait");
  picture.jobs[1].job.set_reason("why\n\n");
  picture.coordinator = "c\x1b[7m:1";
  picture.note = "gone\x1b[2J";

  const std::string frame = Frame(picture, {}, {.width = 132, .height = 24});

  EXPECT_THAT(frame, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\r")), Not(HasSubstr("\a")),
                           Not(HasSubstr("\xc2\x9b")), HasSubstr("j?[1mb"), HasSubstr("x??y?31m")));
}

TEST(TopViewTest, ColoursAreOnlySequencesThatAScreenKnows) {
  const auto lines = TopLines(FullPicture(), {}, {.width = 132, .height = 14, .colour = true});

  for (const std::string& line : lines) {
    for (const StyledRun& run : StyledRuns(line))
      EXPECT_THAT(run.text, Not(HasSubstr("?["))) << line;
  }
  EXPECT_THAT(absl::StrJoin(lines, "\n"), HasSubstr("\x1b[7m> fashion-mnist"));
}

TEST(TopViewTest, LostConnectionIsSaid) {
  TopPicture picture = FullPicture();
  picture.note = "cannot reach the coordinator; what is shown is old; trying again";

  EXPECT_THAT(Frame(picture, {}, {.width = 100, .height = 24}), HasSubstr("what is shown is old"));
}

TEST(TopViewTest, JobsPageIsThatOfJobWatch) {
  TopFocus focus;
  focus.page = TopFocus::Page::kJob;
  focus.job = "fashion-mnist-k3x9qa";

  EXPECT_THAT(
      Frame(FullPicture(), focus, {.width = 100, .height = 24}),
      AllOf(HasSubstr("round 3/12"), HasSubstr("fr-lab/gpu-1  working"), HasSubstr("Esc back")));
}

TEST(TopViewTest, JobThatIsGoneIsSaidToBe) {
  TopFocus focus;
  focus.page = TopFocus::Page::kJob;
  focus.job = "never-was";

  EXPECT_THAT(Frame(FullPicture(), focus, {.width = 100, .height = 24}),
              HasSubstr("there is no job never-was any more"));
}

TEST(TopViewTest, EmptyFederationIsNoMistake) {
  TopPicture picture;
  picture.now = kShownAt;

  EXPECT_THAT(
      Frame(picture, {}, {.width = 80, .height = 24}),
      AllOf(HasSubstr("0 members, 0 of 0 workers connected"), HasSubstr("0 running, 0 in all")));
}

TEST(TopViewTest, ReportLeavesNothingOutAndChoosesNothing) {
  const std::string report = absl::StrJoin(TopReport(FullPicture(), 200), "\n");

  EXPECT_THAT(report, AllOf(HasSubstr("fr-lab/gpu-2"), HasSubstr("older-job"),
                            HasSubstr("quorum lost"), Not(HasSubstr(">"))));
}

}  // namespace
}  // namespace entente::cli
