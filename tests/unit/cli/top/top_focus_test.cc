// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_focus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace entente::cli {
namespace {

using ::testing::ElementsAre;

TopPicture PictureOf(const std::vector<std::string>& jobs) {
  TopPicture picture;
  for (const std::string& id : jobs) {
    TopJob job;
    job.job.set_id(id);
    picture.jobs.push_back(job);
  }
  v1::Member with_workers;
  with_workers.set_id("fr-lab");
  with_workers.add_workers()->set_id("fr-lab/gpu-1");
  with_workers.add_workers()->set_id("fr-lab/gpu-2");
  v1::Member without;
  without.set_id("kr-lab");
  picture.members = {with_workers, without};
  return picture;
}

TEST(TopFocusTest, RowsOfTheFederationAreWorkersAndMembersWithout) {
  EXPECT_THAT(FederationRows(PictureOf({})), ElementsAre("fr-lab/gpu-1", "fr-lab/gpu-2", "kr-lab"));
}

TEST(TopFocusTest, ArrowsMoveAmongTheJobsAndStopAtTheEnds) {
  const TopPicture picture = PictureOf({"c", "b", "a"});
  TopFocus focus;

  focus = FocusAfter(focus, Key::kUp, picture, 2);
  EXPECT_EQ(ChosenJob(picture, focus), 0U);
  focus = FocusAfter(focus, Key::kDown, picture, 2);
  EXPECT_EQ(focus.job, "b");
  focus = FocusAfter(focus, Key::kPageDown, picture, 2);
  EXPECT_EQ(focus.job, "a");
  focus = FocusAfter(focus, Key::kHome, picture, 2);
  EXPECT_EQ(focus.job, "c");
  focus = FocusAfter(focus, Key::kEnd, picture, 2);
  EXPECT_EQ(focus.job, "a");
}

TEST(TopFocusTest, ChosenJobStaysChosenWhenANewerOneComes) {
  TopFocus focus = FocusAfter({}, Key::kDown, PictureOf({"b", "a"}), 2);

  EXPECT_EQ(ChosenJob(PictureOf({"c", "b", "a"}), focus), 2U);
}

TEST(TopFocusTest, NewestJobIsChosenWhileNobodyChose) {
  EXPECT_EQ(ChosenJob(PictureOf({"b", "a"}), {}), 0U);
  const TopFocus untouched = FocusAfter({}, Key::kUp, PictureOf({"b", "a"}), 2);
  EXPECT_EQ(ChosenJob(PictureOf({"c", "b", "a"}), untouched), 0U);
}

TEST(TopFocusTest, EnterOpensTheJobAndEscapeGoesBack) {
  const TopPicture picture = PictureOf({"b", "a"});

  TopFocus focus = FocusAfter({}, Key::kEnter, picture, 2);
  EXPECT_EQ(focus.page, TopFocus::Page::kJob);
  EXPECT_EQ(focus.job, "b");
  focus = FocusAfter(focus, Key::kBack, picture, 2);
  EXPECT_EQ(focus.page, TopFocus::Page::kOverview);
}

TEST(TopFocusTest, OnlyJobHasNowhereToGoBackTo) {
  TopFocus focus;
  focus.page = TopFocus::Page::kJob;
  focus.only_job = true;
  focus.job = "a";

  EXPECT_EQ(FocusAfter(focus, Key::kBack, PictureOf({"a"}), 2).page, TopFocus::Page::kJob);
}

TEST(TopFocusTest, TabGoesToTheFederationWhoseWorkersAreChosenThen) {
  const TopPicture picture = PictureOf({"a"});

  TopFocus focus = FocusAfter({}, Key::kTab, picture, 2);
  focus = FocusAfter(focus, Key::kDown, picture, 2);

  EXPECT_EQ(focus.worker, "fr-lab/gpu-2");
  EXPECT_EQ(ChosenWorker(picture, focus), 1U);
  EXPECT_EQ(FocusAfter(focus, Key::kTab, picture, 2).pane, TopFocus::Pane::kJobs);
}

TEST(TopFocusTest, HelpIsOverThePageAndGoneWithAnyKey) {
  const TopPicture picture = PictureOf({"b", "a"});

  TopFocus focus = FocusAfter({}, Key::kHelp, picture, 2);
  EXPECT_TRUE(focus.help);
  EXPECT_TRUE(FocusAfter(focus, Key::kNone, picture, 2).help);
  EXPECT_TRUE(FocusAfter(focus, Key::kResized, picture, 2).help);
  focus = FocusAfter(focus, Key::kDown, picture, 2);
  EXPECT_FALSE(focus.help);
  EXPECT_EQ(ChosenJob(picture, focus), 0U);
}

TEST(TopFocusTest, ParticipantsOfAJobAreScrolled) {
  TopPicture picture = PictureOf({"a"});
  for (int i = 0; i < 5; ++i) picture.jobs[0].job.mutable_round()->add_participants();
  TopFocus focus = FocusAfter({}, Key::kEnter, picture, 2);

  focus = FocusAfter(focus, Key::kPageDown, picture, 2);
  EXPECT_EQ(focus.participants_skipped, 2U);
  focus = FocusAfter(focus, Key::kEnd, picture, 2);
  EXPECT_EQ(focus.participants_skipped, 4U);
}

TEST(TopFocusTest, NothingThereIsNothingToChoose) {
  const TopPicture empty;

  EXPECT_EQ(FocusAfter({}, Key::kEnter, empty, 2).page, TopFocus::Page::kOverview);
  TopFocus federation;
  federation.pane = TopFocus::Pane::kFederation;
  EXPECT_EQ(FocusAfter(federation, Key::kDown, empty, 2).worker, "");
}

}  // namespace
}  // namespace entente::cli
