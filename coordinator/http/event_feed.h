// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_HTTP_EVENT_FEED_H_
#define COORDINATOR_HTTP_EVENT_FEED_H_

// What happens, as events for browsers. Jobs, workers and the journal say that something changed;
// at most a few times a second what changed is written down once, and the same text goes to
// everybody who looks at the same page. While nobody looks, nothing is done.
//
//   event        data
//   workers      {"workers": [those that changed], "forgotten": [ids; absent: none]}
//   job          a job, as JobBriefJson
//   participants {"jobId", "roundIndex", "attempt", "phases", "participants": [those that changed]}
//   round        {"jobId", "row": as RoundRowJson}: an attempt has ended
//   journal      {"lines": [newest last], "skipped": how many more there were;
//                of the page's job alone where it has one}
//   reset        {}: too much was missed; fetch the page's state again
//
// Everything but `round` and `journal` says how things are now, so hearing it twice does no harm.
// Ids are "<epoch>-<number>": a browser that comes back with one is told what it missed.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/timers.h"
#include "common/http/event_stream.h"
#include "coordinator/http/setbacks.h"
#include "coordinator/http/status_view.h"
#include "coordinator/store/journal.h"

namespace entente::dashboard {

// What a page wants to hear of.
struct FeedTopic {
  enum class Page {
    kFederation,  // workers, job
    kJobs,        // job, round
    kJob,         // job, participants, round, journal of `job` alone
    kEvents,      // journal
  };
  Page page = Page::kFederation;
  JobId job = {};

  friend auto operator<=>(const FeedTopic&, const FeedTopic&) = default;
};

// Thread-safe. Timers and callbacks keep it alive, hence shared_ptr.
class EventFeed : public std::enable_shared_from_this<EventFeed> {
 public:
  struct Options {
    StatusSources sources;
    // Borrowed, as are the next two.
    const Clock* steady_clock = nullptr;             // What `pauses` go by.
    Timers* pauses = nullptr;                        // By steady time; see common/base/timers.h.
    Executor* executor = nullptr;                    // Where changes are written down.
    absl::Duration pause = absl::Milliseconds(500);  // Between two rounds of news.
    absl::Duration kept_for = absl::Seconds(60);     // After the last one has gone.
  };
  static std::shared_ptr<EventFeed> Create(Options options);

  // What to give to Subscribe with the state that is read after this call. Begins to follow.
  std::string Position() ABSL_LOCKS_EXCLUDED(mu_);

  // Sends everything after `position`, or a reset if that is too long ago or unknown.
  void Subscribe(const FeedTopic& topic, absl::string_view position,
                 std::shared_ptr<http::EventStream> stream) ABSL_LOCKS_EXCLUDED(mu_);

  // Somebody attached, detached, or is away. These two never block.
  void OnWorkersChanged() ABSL_LOCKS_EXCLUDED(mu_);
  void OnJournalled(const store::JournalEntry& entry) ABSL_LOCKS_EXCLUDED(mu_);

  size_t stream_count() const ABSL_LOCKS_EXCLUDED(mu_);
  // Whether it follows what happens.
  bool is_awake() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Message {
    std::string name;
    JobId job = {};  // Empty: about none.
    uint64_t number = 0;
    std::string text = {};  // As EventText makes it.
  };
  struct Follower {
    FeedTopic topic;
    std::shared_ptr<http::EventStream> stream;  // Shared with the server that writes it out.
  };
  struct FollowedJob {
    std::shared_ptr<engine::JobEngine> job;
    uint64_t watch = 0;
    size_t rounds_told = 0;
    std::map<WorkerId, std::string> participants = {};  // As they were told.
    uint32_t round_index = 0;
    uint32_t attempt = 0;
  };

  explicit EventFeed(Options options);
  static bool Wants(const FeedTopic& topic, const Message& message);
  void OnJobChanged(const JobId& job) ABSL_LOCKS_EXCLUDED(mu_);
  // Somebody looks.
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // When the next round of news is due, if one is to be armed.
  absl::Time ArmIfNeeded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Arm(absl::Time at);
  void TellNews() ABSL_LOCKS_EXCLUDED(mu_);
  // On the serial executor from here on.
  // Leaves those of `journalled`, and whatever came after them, for the next round of news whose
  // jobs do not show yet what they led to.
  void KeepEarly(Setbacks* setbacks, std::deque<store::JournalEntry>* journalled)
      ABSL_LOCKS_EXCLUDED(mu_);
  void FollowNewJobs();
  void GatherWorkers(std::vector<Message>* news);
  void GatherJob(FollowedJob* followed, std::vector<Message>* news);
  void GatherJournal(const std::deque<store::JournalEntry>& entries,
                     const std::map<JobId, uint64_t>& skipped, Setbacks* setbacks,
                     std::vector<Message>* news);
  void Publish(std::vector<Message> news) ABSL_LOCKS_EXCLUDED(mu_);
  // Nobody has looked for a while: forgets what was told.
  void FallAsleep() ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  SerialExecutor serial_;  // One round of news at a time.

  // Touched on the serial executor only.
  std::map<JobId, FollowedJob> followed_;
  std::set<JobId> ended_;  // Nothing more happens to these.
  std::map<WorkerId, std::string> workers_told_;

  mutable absl::Mutex mu_;
  bool awake_ ABSL_GUARDED_BY(mu_) = false;
  bool armed_ ABSL_GUARDED_BY(mu_) = false;
  // The next two in steady time.
  absl::Time told_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  absl::Time wanted_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  uint64_t epoch_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t number_ ABSL_GUARDED_BY(mu_) = 0;
  bool workers_changed_ ABSL_GUARDED_BY(mu_) = false;
  bool jobs_added_ ABSL_GUARDED_BY(mu_) = false;
  std::set<JobId> jobs_changed_ ABSL_GUARDED_BY(mu_);
  std::deque<store::JournalEntry> journalled_ ABSL_GUARDED_BY(mu_);
  std::map<JobId, uint64_t> journalled_skipped_ ABSL_GUARDED_BY(mu_);
  std::deque<Message> told_ ABSL_GUARDED_BY(mu_);  // The newest, for those that come back.
  size_t told_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<Follower> followers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace entente::dashboard

#endif  // COORDINATOR_HTTP_EVENT_FEED_H_
