// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/event_feed.h"

#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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
                              .timers = timers_.get(),
                              .executor = executor_.get(),
                              .pause = absl::Milliseconds(1)});
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

TEST_F(EventFeedTest, JournalledLineReachesEventsPage) {
  const auto feed = MakeFeed();
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kEvents}, feed->Position(), browser.stream());
  store::JournalEntry entry{.job = JobId("a-job"), .sequence = 3, .at = absl::UnixEpoch()};
  entry.record.mutable_paused()->set_reason("paused by somebody");

  feed->OnJournalled(entry);

  EXPECT_THAT(browser.WaitFor("event: journal"), HasSubstr("the job was paused by somebody"));
}

TEST_F(EventFeedTest, LinesThatComeTooFastAreCounted) {
  const auto feed = MakeFeed();
  Browser browser;
  feed->Subscribe({.page = FeedTopic::Page::kEvents}, feed->Position(), browser.stream());
  // Nothing is told while the threads that could are held up.
  const auto hold = std::make_shared<absl::Mutex>();
  hold->Lock();
  for (int i = 0; i < 8; ++i) {
    executor_->Post([hold] { absl::MutexLock lock(hold.get()); });
  }
  for (uint64_t i = 1; i <= 130; ++i) {
    store::JournalEntry entry{.job = JobId("a-job"), .sequence = i, .at = absl::UnixEpoch()};
    entry.record.mutable_resumed()->set_reason("resumed");
    feed->OnJournalled(entry);
  }
  hold->Unlock();

  EXPECT_THAT(browser.WaitFor("\"sequence\":130"), HasSubstr("\"skipped\":30"));
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

TEST_F(EventFeedTest, SleepsWhenNobodyLooksAndWakesWithWhatThereIs) {
  const auto feed = EventFeed::Create({.sources = Sources(),
                                       .timers = timers_.get(),
                                       .executor = executor_.get(),
                                       .pause = absl::Milliseconds(1),
                                       .kept_for = absl::Seconds(30)});
  const std::string before = feed->Position();
  clock_.Jump(absl::Minutes(5));
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
