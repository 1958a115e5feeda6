// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_feed.h"

#include <gmock/gmock.h>

#include <functional>

#include "absl/synchronization/notification.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class TopFeedTest : public CoordinatorFixture {
 protected:
  TopFeedTest() {
    v1::Member member;
    member.set_id("fr-lab");
    member.add_workers()->set_id("fr-lab/gpu-1");
    absl::MutexLock lock(&state().mu);
    state().members = {member};
    state().jobs = {RunningJob(1)};
    state().rounds = {CommittedRound(0, 0.9, 0.5)};
    state().watch_streams = {{RunningJob(1)}};
  }

  std::unique_ptr<TopFeed> Feed(const std::string& only_job = "") {
    auto feed = TopFeed::Create(coordinator_.target(), absl::Seconds(20), only_job,
                                {.clock = &clock_, .interruption = &interruption_});
    EXPECT_THAT(feed, IsOk());
    return *std::move(feed);
  }

  // Waits until the picture fits; a generous limit is reached only if it never does.
  static ::testing::AssertionResult Await(const TopFeed& feed,
                                          const std::function<bool(const TopPicture&)>& fits) {
    const SystemClock clock;
    const absl::Time limit = clock.Now() + absl::Seconds(30);
    while (clock.Now() < limit) {
      if (fits(feed.Picture())) return ::testing::AssertionSuccess();
      absl::Notification never;
      never.WaitForNotificationWithTimeout(absl::Milliseconds(5));
    }
    return ::testing::AssertionFailure() << "not within 30 s; note: " << feed.Picture().note;
  }
};

TEST_F(TopFeedTest, FirstFetchHasMembersJobsAndRounds) {
  const auto feed = Feed();

  ASSERT_THAT(feed->FetchOnce(), IsOk());

  const TopPicture picture = feed->Picture();
  EXPECT_THAT(picture.members, SizeIs(1));
  ASSERT_THAT(picture.jobs, SizeIs(1));
  EXPECT_THAT(picture.jobs[0].committed, SizeIs(1));
  EXPECT_EQ(picture.coordinator, coordinator_.address());
}

TEST_F(TopFeedTest, CoordinatorThatIsNotThereIsAnError) {
  coordinator_.Stop();

  EXPECT_THAT(Feed()->FetchOnce(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(TopFeedTest, RefusedCallerIsTold) {
  {
    absl::MutexLock lock(&state().mu);
    state().refuse_all = absl::PermissionDeniedError("not for workers");
  }

  EXPECT_THAT(Feed()->FetchOnce(),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("not for workers")));
}

TEST_F(TopFeedTest, StreamsChangesArrive) {
  v1::Job later = RunningJob(2);
  AddParticipant(&later, "FR", "fr-lab/gpu-1", v1::PARTICIPANT_STATE_WORKING);
  {
    absl::MutexLock lock(&state().mu);
    state().watch_streams = {{RunningJob(1), later}};
  }
  const auto feed = Feed();
  ASSERT_THAT(feed->FetchOnce(), IsOk());
  const uint64_t before = feed->revision();

  feed->Start();

  EXPECT_TRUE(Await(*feed, [](const TopPicture& picture) {
    return picture.jobs[0].job.round().participants_size() == 1;
  }));
  EXPECT_GT(feed->revision(), before);
}

TEST_F(TopFeedTest, NewJobsAndMembersAppear) {
  const auto feed = Feed();
  ASSERT_THAT(feed->FetchOnce(), IsOk());
  feed->Start();
  v1::Job newer = RunningJob(0);
  newer.set_id("newer");
  {
    absl::MutexLock lock(&state().mu);
    state().jobs.insert(state().jobs.begin(), newer);
    state().members[0].mutable_workers(0)->set_reason("gone");
  }

  EXPECT_TRUE(Await(*feed, [](const TopPicture& picture) {
    return picture.jobs.size() == 2 && picture.jobs[0].job.id() == "newer" &&
           picture.members[0].workers(0).reason() == "gone";
  }));
}

TEST_F(TopFeedTest, LostCoordinatorIsNotedAndFoundAgain) {
  const auto feed = Feed();
  ASSERT_THAT(feed->FetchOnce(), IsOk());
  feed->Start();

  coordinator_.Stop();
  EXPECT_TRUE(Await(*feed, [](const TopPicture& picture) { return !picture.note.empty(); }));
  EXPECT_THAT(feed->Picture().note, HasSubstr("what is shown is old"));
  EXPECT_THAT(feed->Picture().jobs, SizeIs(1));

  coordinator_.Start();
  EXPECT_TRUE(Await(*feed, [](const TopPicture& picture) { return picture.note.empty(); }));
}

TEST_F(TopFeedTest, OnlyJobIsFollowedToItsEnd) {
  {
    absl::MutexLock lock(&state().mu);
    state().watch_streams = {{RunningJob(1), EndedJob(v1::JOB_STATE_COMPLETED, "done")}};
  }
  const auto feed = Feed("fashion-mnist-k3x9qa");
  ASSERT_THAT(feed->FetchOnce(), IsOk());
  EXPECT_THAT(feed->Picture().members, SizeIs(0));

  feed->Start();

  EXPECT_TRUE(Await(*feed, [](const TopPicture& picture) {
    return picture.jobs[0].job.state() == v1::JOB_STATE_COMPLETED;
  }));
}

TEST_F(TopFeedTest, OnlyJobThatIsUnknownIsNotFound) {
  EXPECT_THAT(Feed("nobody")->FetchOnce(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(TopFeedTest, MoreJobsThanAnybodyScrollsThroughAreCounted) {
  {
    absl::MutexLock lock(&state().mu);
    state().jobs.clear();
    for (size_t i = 0; i < kTopJobsMax + 3; ++i) {
      v1::Job job = EndedJob(v1::JOB_STATE_COMPLETED, "");
      job.set_id(absl::StrCat("job-", i));
      job.set_rounds_committed(0);
      state().jobs.push_back(job);
    }
  }
  const auto feed = Feed();

  ASSERT_THAT(feed->FetchOnce(), IsOk());

  EXPECT_THAT(feed->Picture().jobs, SizeIs(kTopJobsMax));
  EXPECT_EQ(feed->Picture().jobs_left_out, 3U);
}

TEST_F(TopFeedTest, InterruptionOfTheProgramEndsTheFeed) {
  const auto feed = Feed();
  ASSERT_THAT(feed->FetchOnce(), IsOk());
  feed->Start();

  interruption_.Trigger();

  EXPECT_THAT(feed->FetchOnce(), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace entente::cli
