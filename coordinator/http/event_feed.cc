// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/event_feed.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "coordinator/http/round_view.h"

namespace entente::dashboard {
namespace {

constexpr size_t kToldBytesMax = size_t{2} << 20;  // Kept for those that come back.
constexpr size_t kJournalledMax = 100;             // Lines in one round of news.
constexpr size_t kRowsToldMax = 20;                // Ended rounds of a job in one round of news.

// Names and reasons of others that are not UTF-8 must not end the feed.
std::string TextOf(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Whoever is heard of alone has not changed.
std::string WithoutLastSeen(Json worker) {
  worker.erase("lastSeenAt");
  return TextOf(worker);
}

}  // namespace

EventFeed::EventFeed(Options options) : options_(std::move(options)), serial_(options_.executor) {}

std::shared_ptr<EventFeed> EventFeed::Create(Options options) {
  return std::shared_ptr<EventFeed>(new EventFeed(std::move(options)));
}

bool EventFeed::Wants(const FeedTopic& topic, const Message& message) {
  const absl::string_view name = message.name;
  switch (topic.page) {
    case FeedTopic::Page::kFederation:
      return name == "workers" || name == "job";
    case FeedTopic::Page::kJobs:
      return name == "job" || name == "round";
    case FeedTopic::Page::kJob:
      return message.job == topic.job;
    case FeedTopic::Page::kEvents:
      return name == "journal" && message.job.empty();
  }
  return false;
}

void EventFeed::Wake() {
  wanted_at_ = options_.steady_clock->Now();
  if (awake_) return;
  awake_ = true;
  // Whoever comes back with a position of before has missed what happened while nobody looked.
  epoch_ = static_cast<uint64_t>(absl::ToUnixMicros(options_.sources.clock->Now()));
  number_ = 0;
  told_.clear();
  told_bytes_ = 0;
  workers_changed_ = jobs_added_ = true;
}

absl::Time EventFeed::ArmIfNeeded() {
  const bool is_news =
      workers_changed_ || jobs_added_ || !jobs_changed_.empty() || !journalled_.empty();
  if (!awake_ || armed_ || !is_news) return absl::InfiniteFuture();
  armed_ = true;
  return std::max(options_.steady_clock->Now(), told_at_ + options_.pause);
}

void EventFeed::Arm(absl::Time at) {
  if (at == absl::InfiniteFuture()) return;
  options_.pauses->RunAt(at, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->serial_.Post([weak] {
      if (const auto feed = weak.lock()) feed->TellNews();
    });
  });
}

std::string EventFeed::Position() {
  absl::Time due;
  std::string position;
  {
    absl::MutexLock lock(&mu_);
    Wake();
    due = ArmIfNeeded();
    position = absl::StrCat(epoch_, "-", number_);
  }
  Arm(due);
  return position;
}

void EventFeed::Subscribe(const FeedTopic& topic, absl::string_view position,
                          std::shared_ptr<http::EventStream> stream) {
  absl::Time due;
  std::string missed = "retry: 2000\n\n";
  {
    absl::MutexLock lock(&mu_);
    Wake();
    due = ArmIfNeeded();
    const std::vector<std::string> parts = absl::StrSplit(position, '-');
    uint64_t epoch = 0;
    uint64_t number = 0;
    const bool is_known =
        parts.size() == 2 && absl::SimpleAtoi(parts[0], &epoch) &&
        absl::SimpleAtoi(parts[1], &number) && epoch == epoch_ && number <= number_ &&
        (number == number_ || (!told_.empty() && told_.front().number <= number + 1));
    if (is_known) {
      for (const Message& message : told_) {
        if (message.number > number && Wants(topic, message)) missed += message.text;
      }
    } else {
      missed += http::EventText("reset", "{}", absl::StrCat(epoch_, "-", number_));
    }
    // In the same breath, so that it misses nothing and hears nothing twice. Sending only queues.
    if (stream->SendText(missed)) followers_.push_back({topic, std::move(stream)});
  }
  Arm(due);
}

void EventFeed::OnJobChanged(const JobId& job) {
  absl::Time due;
  {
    absl::MutexLock lock(&mu_);
    if (!awake_) return;
    jobs_changed_.insert(job);
    workers_changed_ = true;  // Their activities and bytes.
    due = ArmIfNeeded();
  }
  Arm(due);
}

void EventFeed::OnWorkersChanged() {
  absl::Time due;
  {
    absl::MutexLock lock(&mu_);
    if (!awake_) return;
    workers_changed_ = true;
    due = ArmIfNeeded();
  }
  Arm(due);
}

void EventFeed::OnJournalled(const store::JournalEntry& entry) {
  absl::Time due;
  {
    absl::MutexLock lock(&mu_);
    if (!awake_) return;
    if (entry.record.has_submitted()) jobs_added_ = true;
    journalled_.push_back(entry);
    if (journalled_.size() > kJournalledMax) {
      ++journalled_skipped_[journalled_.front().job];
      journalled_.pop_front();
    }
    due = ArmIfNeeded();
  }
  Arm(due);
}

size_t EventFeed::stream_count() const {
  absl::MutexLock lock(&mu_);
  return followers_.size();
}

bool EventFeed::is_awake() const {
  absl::MutexLock lock(&mu_);
  return awake_;
}

void EventFeed::TellNews() {
  const absl::Time now = options_.steady_clock->Now();
  std::set<JobId> jobs_changed;
  std::deque<store::JournalEntry> journalled;
  std::map<JobId, uint64_t> skipped;
  bool workers_changed = false;
  bool jobs_added = false;
  bool falls_asleep = false;
  {
    absl::MutexLock lock(&mu_);
    armed_ = false;
    told_at_ = now;
    std::erase_if(followers_, [](const Follower& one) { return !one.stream->open(); });
    if (!followers_.empty()) wanted_at_ = now;
    falls_asleep = now - wanted_at_ > options_.kept_for;
    if (falls_asleep) awake_ = false;
    jobs_changed.swap(jobs_changed_);
    journalled.swap(journalled_);
    skipped.swap(journalled_skipped_);
    workers_changed = std::exchange(workers_changed_, false);
    jobs_added = std::exchange(jobs_added_, false);
  }
  if (falls_asleep) return FallAsleep();
  Setbacks setbacks(options_.sources.jobs);
  KeepEarly(&setbacks, &journalled);
  std::vector<Message> news;
  if (jobs_added) FollowNewJobs();
  for (const store::JournalEntry& entry : journalled) {
    // A job is journalled a moment before it can be found.
    if (!entry.record.has_submitted() || followed_.contains(entry.job) ||
        ended_.contains(entry.job)) {
      continue;
    }
    absl::MutexLock lock(&mu_);
    jobs_added_ = true;
  }
  if (workers_changed) GatherWorkers(&news);
  for (const JobId& job : jobs_changed) {
    const auto it = followed_.find(job);
    if (it == followed_.end()) continue;
    GatherJob(&it->second, &news);
    if (!it->second.job->HasEnded()) continue;
    it->second.job->Unwatch(it->second.watch);
    ended_.insert(job);
    followed_.erase(it);
  }
  if (!journalled.empty() || !skipped.empty()) {
    GatherJournal(journalled, skipped, &setbacks, &news);
  }
  Publish(std::move(news));
  absl::Time due;
  {
    absl::MutexLock lock(&mu_);
    due = ArmIfNeeded();
  }
  Arm(due);
}

void EventFeed::KeepEarly(Setbacks* setbacks, std::deque<store::JournalEntry>* journalled) {
  const auto early =
      std::find_if_not(journalled->begin(), journalled->end(),
                       [&](const store::JournalEntry& entry) { return setbacks->IsKnown(entry); });
  absl::MutexLock lock(&mu_);
  journalled_.insert(journalled_.begin(), early, journalled->end());
  journalled->erase(early, journalled->end());
}

void EventFeed::FollowNewJobs() {
  for (const auto& job : options_.sources.jobs->All()) {
    const JobId& id = job->description().id;
    if (ended_.contains(id) || followed_.contains(id)) continue;
    if (job->HasEnded()) {
      ended_.insert(id);
      continue;
    }
    FollowedJob followed{.job = job};
    followed.rounds_told = job->History().rounds.size();
    followed.watch = job->Watch([weak = weak_from_this(), id] {
      if (const auto self = weak.lock()) self->OnJobChanged(id);
    });
    followed_.emplace(id, std::move(followed));
    // It may have changed before it was watched.
    OnJobChanged(id);
  }
}

void EventFeed::GatherWorkers(std::vector<Message>* news) {
  Json changed = Json::array();
  std::set<WorkerId> known;
  for (const members::WorkerSnapshot& worker : options_.sources.workers->Snapshot()) {
    known.insert(worker.id);
    Json json = WorkerJson(worker);
    std::string text = WithoutLastSeen(json);
    std::string& told = workers_told_[worker.id];
    if (told == text) continue;
    told = std::move(text);
    changed.push_back(std::move(json));
  }
  Json forgotten = Json::array();
  std::erase_if(workers_told_, [&](const auto& told) {
    if (known.contains(told.first)) return false;
    forgotten.push_back(told.first.value());
    return true;
  });
  if (changed.empty() && forgotten.empty()) return;
  Json message = {{"workers", std::move(changed)}};
  if (!forgotten.empty()) message["forgotten"] = std::move(forgotten);
  news->push_back({.name = "workers", .text = TextOf(message)});
}

void EventFeed::GatherJob(FollowedJob* followed, std::vector<Message>* news) {
  const engine::JobEngine& job = *followed->job;
  const JobId& id = job.description().id;
  // Rounds first: with the next one in flight on the page, the last one's end would be missed.
  const engine::JobHistory history = job.History();
  const size_t rounds = history.rounds.size();
  const size_t skip =
      rounds - followed->rounds_told > kRowsToldMax ? rounds - kRowsToldMax : followed->rounds_told;
  for (size_t i = skip; i < rounds; ++i) {
    Json row = RoundRowJson(*history.rounds[i], *history.chronicles[i], {.all = true});
    news->push_back({.name = "round",
                     .job = id,
                     .text = TextOf({{"jobId", id.value()}, {"row", std::move(row)}})});
  }
  followed->rounds_told = rounds;

  const engine::JobView view = job.View();
  const engine::RoundChronicle chronicle = job.ChronicleInFlight();
  const rounds::RoundState& round = view.state->round;
  if (round.round_index != followed->round_index || round.attempt != followed->attempt) {
    followed->participants.clear();
    followed->round_index = round.round_index;
    followed->attempt = round.attempt;
  }
  Json changed = Json::array();
  for (auto& [worker, participant] : ParticipantsJson(options_.sources, view, chronicle)) {
    std::string text = TextOf(participant);
    std::string& told = followed->participants[worker];
    if (told == text) continue;
    told = std::move(text);
    changed.push_back(std::move(participant));
  }
  news->push_back({.name = "job", .job = id, .text = TextOf(JobBriefJson(options_.sources, job))});
  news->push_back({.name = "participants",
                   .job = id,
                   .text = TextOf({{"jobId", id.value()},
                                   {"roundIndex", round.round_index},
                                   {"attempt", round.attempt},
                                   {"phases", PhasesJson(chronicle)},
                                   {"participants", std::move(changed)}})});
}

void EventFeed::GatherJournal(const std::deque<store::JournalEntry>& entries,
                              const std::map<JobId, uint64_t>& skipped, Setbacks* setbacks,
                              std::vector<Message>* news) {
  Json all = Json::array();
  std::map<JobId, Json> of_jobs;
  uint64_t skipped_of_all = 0;
  for (const auto& [job, count] : skipped) {
    skipped_of_all += count;
    of_jobs[job] = Json::array();  // Told even where every line of it was skipped.
  }
  for (const store::JournalEntry& entry : entries) {
    Json line = LineJson(entry, 0, setbacks->Of(entry));
    Json& own = of_jobs[entry.job];
    if (own.is_null()) own = Json::array();
    own.push_back(line);
    all.push_back(std::move(line));
  }
  const auto add = [&](const JobId& job, Json lines, uint64_t skipped_count) {
    news->push_back({.name = "journal",
                     .job = job,
                     .text = TextOf({{"lines", std::move(lines)}, {"skipped", skipped_count}})});
  };
  add(JobId(), std::move(all), skipped_of_all);
  for (auto& [job, lines] : of_jobs) {
    const auto it = skipped.find(job);
    add(job, std::move(lines), it == skipped.end() ? 0 : it->second);
  }
}

void EventFeed::Publish(std::vector<Message> news) {
  if (news.empty()) return;
  std::vector<std::pair<std::shared_ptr<http::EventStream>, const std::string*>> to_send;
  std::map<FeedTopic, std::string> texts;  // One for all that look at the same page.
  {
    absl::MutexLock lock(&mu_);
    for (Message& message : news) {
      message.number = ++number_;
      message.text =
          http::EventText(message.name, message.text, absl::StrCat(epoch_, "-", message.number));
    }
    for (const Follower& follower : followers_) {
      const auto [it, is_new] = texts.try_emplace(follower.topic);
      if (is_new) {
        for (const Message& message : news) {
          if (Wants(follower.topic, message)) it->second += message.text;
        }
      }
      if (!it->second.empty()) to_send.emplace_back(follower.stream, &it->second);
    }
    // Under the lock, so that two rounds of news and somebody who subscribes keep their order.
    // Sending only queues.
    for (const auto& [stream, text] : to_send) stream->SendText(*text);
    for (Message& message : news) {
      told_bytes_ += message.text.size();
      told_.push_back(std::move(message));
    }
    while (told_bytes_ > kToldBytesMax) {
      told_bytes_ -= told_.front().text.size();
      told_.pop_front();
    }
  }
}

void EventFeed::FallAsleep() {
  for (auto& [id, followed] : followed_) followed.job->Unwatch(followed.watch);
  followed_.clear();
  workers_told_.clear();
  absl::Time due;
  {
    absl::MutexLock lock(&mu_);
    // Somebody may have come meanwhile, and is told everything.
    workers_changed_ = jobs_added_ = true;
    due = ArmIfNeeded();
  }
  Arm(due);
}

}  // namespace entente::dashboard
