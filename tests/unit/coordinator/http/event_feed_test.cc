// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/event_feed.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/limits.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/http/http_fixture.h"

namespace entente::dashboard {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A browser that keeps what it is told.
class Browser {
 public:
  Browser() : heard_(std::make_shared<Heard>()) {
    stream_ = std::make_shared<http::EventStream>([heard = heard_] {
      absl::MutexLock lock(&heard->mu);
      ++heard->calls;
    });
  }

  const std::shared_ptr<http::EventStream>& stream() const { return stream_; }

  // Everything it was told, once `text` is in it; a minute at most.
  std::string WaitFor(const std::string& text) {
    for (int calls = 0;;) {
      told_ += stream_->Take();
      if (absl::StrContains(told_, text)) return told_;
      absl::MutexLock lock(&heard_->mu);
      const auto more = [this, calls]() ABSL_SHARED_LOCKS_REQUIRED(heard_->mu) {
        return heard_->calls > calls;
      };
      if (!heard_->mu.AwaitWithTimeout(absl::Condition(&more), absl::Minutes(1))) return told_;
      calls = heard_->calls;
    }
  }
  std::string Told() {
    told_ += stream_->Take();
    return told_;
  }

 private:
  struct Heard {
    absl::Mutex mu;
    int calls = 0;
  };
  const std::shared_ptr<Heard> heard_;  // Shared with the stream, which may outlive this.
  std::shared_ptr<http::EventStream> stream_;
  std::string told_;
};

class EventFeedTest : public DashboardFixture {
 protected:
  std::shared_ptr<EventFeed> MakeFeed() {
    return EventFeed::Create({.sources = Sources(),
                              .steady_clock = &steady_clock_,
                              .pauses = pauses_.get(),
                              .executor = executor_.get(),
                              .pause = absl::Milliseconds(1)});
  }

  // So many lines of each job, one job after the other, while both threads that could tell anything
  // are held up.
  void JournalAtOnce(EventFeed& feed, const std::vector<std::pair<std::string, uint64_t>>& lines) {
    struct Hold {
      absl::Mutex mu;
      int held = 0;
      bool released = false;
    };
    const auto hold = std::make_shared<Hold>();  // Shared with the threads, which may outlive this.
    for (int i = 0; i < 2; ++i) {
      executor_->Post([hold] {
        absl::MutexLock lock(&hold->mu);
        ++hold->held;
        hold->mu.Await(absl::Condition(&hold->released));
      });
    }
    {
      absl::MutexLock lock(&hold->mu);
      const auto both = [&hold]() ABSL_SHARED_LOCKS_REQUIRED(hold->mu) { return hold->held == 2; };
      EXPECT_TRUE(hold->mu.AwaitWithTimeout(absl::Condition(&both), absl::Seconds(30)));
    }
    for (const auto& [job, count] : lines) {
      for (uint64_t i = 1; i <= count; ++i) {
        store::JournalEntry entry{.job = JobId(job), .sequence = i, .at = absl::UnixEpoch()};
        entry.record.mutable_resumed()->set_reason("resumed");
        feed.OnJournalled(entry);
      }
    }
    absl::MutexLock lock(&hold->mu);
    hold->released = true;
  }
};

TEST_F(EventFeedTest, WorkerThatAttachesIsTold) {
  const auto feed = MakeFeed();
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kFederation}, feed->Position(), browser.stream());

  AttachWorker("fr-lab/w");
  feed->OnWorkersChanged();

  EXPECT_THAT(browser.WaitFor("fr-lab/w"), HasSubstr("event: workers\ndata: {\"workers\":[{"));
}

TEST_F(EventFeedTest, RefusedWorkerIsToldAndThatItIsForgotten) {
  const auto refuse = [this](size_t number) {
    workers_->NoteRefused(WorkerId(absl::StrCat("fr-lab/", number)),
                          {.reason = "too old", .version = "", .certificate_expires_at = {}});
  };
  const auto feed = MakeFeed();
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kFederation}, feed->Position(), browser.stream());

  refuse(0);
  feed->OnWorkersChanged();
  EXPECT_THAT(browser.WaitFor("fr-lab/0"), HasSubstr("refused: too old"));

  for (size_t number = 1; number <= limits::kRefusedWorkersMax; ++number) refuse(number);
  feed->OnWorkersChanged();
  EXPECT_THAT(browser.WaitFor("forgotten"), HasSubstr("\"forgotten\":[\"fr-lab/0\"]"));
}

TEST_F(EventFeedTest, JobPageHearsOfItsOwnJobAlone) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(2, 1));
  const auto other = Submit(RecipeOf(2, 1));
  const auto feed = MakeFeed();
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kJob, .job = job->description().id}, feed->Position(),
                  browser.stream());
  browser.WaitFor("event: participants");

  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());

  const std::string told = browser.WaitFor("event: round");
  EXPECT_THAT(told, HasSubstr("\"phase\":\"committed\""));
  EXPECT_THAT(told, Not(HasSubstr(other->description().id.value())));
  EXPECT_THAT(told, Not(HasSubstr("event: workers")));
}

TEST_F(EventFeedTest, JobPageHearsAtOnceThatAWorkerIsGone) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(2, 1));
  fr->WaitForTask(0);
  const auto feed = MakeFeed();
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kJob, .job = job->description().id}, feed->Position(),
                  browser.stream());
  browser.WaitFor("event: participants");

  workers_->Detach(WorkerId("fr-lab/w"), fr.get(), "the connection ended");

  EXPECT_THAT(browser.WaitFor("detachedAt"), HasSubstr("not attached since "));
}

TEST_F(EventFeedTest, JournalledLineReachesEventsPage) {
  const auto feed = MakeFeed();
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kEvents}, feed->Position(), browser.stream());
  store::JournalEntry entry{.job = JobId("a-job"), .sequence = 3, .at = absl::UnixEpoch()};
  entry.record.mutable_paused()->set_reason("paused by somebody");

  feed->OnJournalled(entry);

  EXPECT_THAT(browser.WaitFor("event: journal"), HasSubstr("the job was paused by somebody"));
}

TEST_F(EventFeedTest, AbortedAttemptReachesEventsPageAsASetback) {
  const auto job = FailedJob();
  ASSERT_OK_AND_ASSIGN(const auto placed,
                       real_journal_->ReadOn(job->description().id, 2, /*count_max=*/1));
  const auto feed = MakeFeed();
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kEvents}, feed->Position(), browser.stream());

  feed->OnJournalled(placed[0].entry);

  const std::string told = browser.WaitFor("event: journal");
  EXPECT_THAT(told, HasSubstr("\"tone\":\"bad\""));
  EXPECT_THAT(told, HasSubstr("attempt 1 was aborted: deadline passed"));
}

// An event is journalled a moment before its job shows what it led to.
TEST_F(EventFeedTest, LineIsToldOnceItsJobShowsWhatItLedTo) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = fr->WaitForTask(0);
  const auto feed = MakeFeed();
  Browser events;
  Browser federation;
  feed->Subscribe({.page = FeedTopic::Page::kEvents}, feed->Position(), events.stream());
  feed->Subscribe({.page = FeedTopic::Page::kFederation}, feed->Position(), federation.stream());
  store::JournalEntry entry{.job = job->description().id, .sequence = 3, .at = absl::UnixEpoch()};
  entry.record.mutable_round()->set_attempt(1);
  entry.record.mutable_round()->mutable_task_accepted()->set_worker("fr-lab/w");

  feed->OnJournalled(entry);
  AttachWorker("kr-lab/w");
  feed->OnWorkersChanged();
  federation.WaitFor("kr-lab/w");
  EXPECT_THAT(events.Told(), Not(HasSubstr("event: journal")));

  job->OnTaskAccepted(WorkerId("fr-lab/w"), task.key());
  EXPECT_THAT(events.WaitFor("event: journal"), HasSubstr("fr-lab/w took the task"));
}

TEST_F(EventFeedTest, LinesThatComeTooFastAreCounted) {
  const auto feed = MakeFeed();
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kEvents}, feed->Position(), browser.stream());

  JournalAtOnce(*feed, {{"a-job", 130}});

  EXPECT_THAT(browser.WaitFor("\"sequence\":130"), HasSubstr("\"skipped\":30"));
}

// Its page has to know that it misses lines, and how many are none of its business.
TEST_F(EventFeedTest, JobIsToldOfItsOwnSkippedLinesThoughNoneOfThemIsLeft) {
  const auto feed = MakeFeed();
  const auto job = EndedJob();
  Browser browser;
  Browser of_another;
  feed->Subscribe({.page = FeedTopic::Page::kJob, .job = job->description().id}, feed->Position(),
                  browser.stream());
  feed->Subscribe({.page = FeedTopic::Page::kJob, .job = JobId("another")}, feed->Position(),
                  of_another.stream());

  JournalAtOnce(*feed, {{job->description().id.value(), 20}, {"another", 110}});

  EXPECT_THAT(browser.WaitFor("event: journal"), HasSubstr(R"({"lines":[],"skipped":20})"));
  EXPECT_THAT(of_another.WaitFor("\"sequence\":110"), HasSubstr("\"skipped\":10}"));
}

TEST_F(EventFeedTest, BrowserThatComesBackIsToldWhatItMissed) {
  const auto feed = MakeFeed();
  Browser first;
  feed->Subscribe({.page = FeedTopic::Page::kFederation}, feed->Position(), first.stream());
  const std::string position = feed->Position();
  AttachWorker("fr-lab/w");
  feed->OnWorkersChanged();
  first.WaitFor("fr-lab/w");

  Browser back;
  feed->Subscribe({.page = FeedTopic::Page::kFederation}, position, back.stream());

  EXPECT_THAT(back.Told(), HasSubstr("fr-lab/w"));
  EXPECT_THAT(back.Told(), Not(HasSubstr("event: reset")));
}

TEST_F(EventFeedTest, PositionOfAnotherTimeOrOfNobodyIsReset) {
  const auto feed = MakeFeed();
  for (const char* position : {"", "1-1", "x", "-", "99999999999999999999-1", "<script>"}) {
    Browser browser;

    feed->Subscribe({.page = FeedTopic::Page::kFederation}, position, browser.stream());

    EXPECT_THAT(browser.Told(), HasSubstr("event: reset")) << position;
  }
}

TEST_F(EventFeedTest, BrowserThatDoesNotReadIsDropped) {
  const auto feed = MakeFeed();
  const auto slow = std::make_shared<http::EventStream>([] {}, /*queue_bytes_max=*/64);
  feed->Subscribe({.page = FeedTopic::Page::kFederation}, feed->Position(), slow);
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kFederation}, feed->Position(), browser.stream());

  AttachWorker("fr-lab/w");
  feed->OnWorkersChanged();
  browser.WaitFor("fr-lab/w");
  AttachWorker("kr-lab/w");
  feed->OnWorkersChanged();
  browser.WaitFor("kr-lab/w");

  EXPECT_FALSE(slow->open());
  EXPECT_EQ(feed->stream_count(), 1U);
}

TEST_F(EventFeedTest, WorkerThatIsOnlyHeardOfIsNoNews) {
  AttachWorker("fr-lab/w");
  const auto feed = MakeFeed();
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kFederation}, feed->Position(), browser.stream());
  browser.WaitFor("fr-lab/w");

  workers_->Heard(WorkerId("fr-lab/w"));
  feed->OnWorkersChanged();
  AttachWorker("kr-lab/w");
  feed->OnWorkersChanged();

  const std::string told = browser.WaitFor("kr-lab/w");
  EXPECT_EQ(told.find("fr-lab/w"), told.rfind("fr-lab/w"));
}

// The pause between two rounds of news is not one of the day's time.
TEST_F(EventFeedTest, ClockThatIsSetBackADayDoesNotFreezeThePages) {
  const auto feed = MakeFeed();
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kFederation}, feed->Position(), browser.stream());
  AttachWorker("fr-lab/w");
  feed->OnWorkersChanged();
  browser.WaitFor("fr-lab/w");

  clock_.Jump(-absl::Hours(24));
  AttachWorker("kr-lab/w");
  feed->OnWorkersChanged();

  EXPECT_THAT(browser.WaitFor("kr-lab/w"), HasSubstr("kr-lab/w"));
}

TEST_F(EventFeedTest, SleepsWhenNobodyLooksAndWakesWithWhatThereIs) {
  const auto feed = EventFeed::Create({.sources = Sources(),
                                       .steady_clock = &steady_clock_,
                                       .pauses = pauses_.get(),
                                       .executor = executor_.get(),
                                       .pause = absl::Milliseconds(1),
                                       .kept_for = absl::Seconds(30)});
  const std::string before = feed->Position();
  steady_clock_.Jump(absl::Minutes(5));
  for (int i = 0; i < 3000 && feed->is_awake(); ++i) {
    feed->OnWorkersChanged();
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_FALSE(feed->is_awake());
  Browser late;
  feed->Subscribe({.page = FeedTopic::Page::kFederation}, before, late.stream());

  AttachWorker("fr-lab/w");
  feed->OnWorkersChanged();

  EXPECT_THAT(late.WaitFor("fr-lab/w"), HasSubstr("event: reset"));
}

}  // namespace
}  // namespace entente::dashboard
