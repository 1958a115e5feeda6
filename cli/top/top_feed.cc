// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_feed.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "cli/job_text.h"
#include "common/base/status_macros.h"

namespace entente::cli {
namespace {

constexpr absl::Duration kBetweenLists = absl::Seconds(1);

// However fast jobs change.
constexpr absl::Duration kBetweenListsMin = absl::Milliseconds(250);

// Whose rounds are fetched, running or not: those that a screen shows.
constexpr size_t kJobsWithRoundsMax = 50;

}  // namespace

TopFeed::TopFeed(std::string coordinator, std::string only_job, const Clock* clock)
    : only_job_(std::move(only_job)), clock_(*clock) {
  picture_.coordinator = std::move(coordinator);
}

absl::StatusOr<std::unique_ptr<TopFeed>> TopFeed::Create(const ConnectionTarget& target,
                                                         absl::Duration timeout,
                                                         const std::string& only_job,
                                                         Dependencies deps) {
  auto feed = absl::WrapUnique(new TopFeed(target.coordinator, only_job, deps.clock));
  ENTENTE_ASSIGN_OR_RETURN(
      feed->client_, CoordinatorClient::Create(
                         target, timeout, {.clock = deps.clock, .interruption = &feed->stop_}));
  feed->with_program_ = deps.interruption->OnTrigger([stop = &feed->stop_] { stop->Trigger(); });
  return feed;
}

TopFeed::~TopFeed() {
  stop_.Trigger();
  {
    absl::MutexLock lock(&mu_);
    stopped_ = true;
    became_due_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
  for (auto& [id, stream] : streams_) stream.thread.join();
}

absl::Status TopFeed::FetchOnce() {
  if (!only_job_.empty()) {
    ENTENTE_RETURN_IF_ERROR(FetchOnlyJob());
    return FetchDetails();
  }
  ENTENTE_RETURN_IF_ERROR(FetchLists());
  for (const std::string& job_id : JobsToFollow()) {
    ENTENTE_ASSIGN_OR_RETURN(v1::Job job, client_->GetJob(job_id));
    TakeJob(std::move(job));
  }
  return FetchDetails();
}

void TopFeed::Start() {
  thread_ = std::thread([this] { Run(); });
}

TopPicture TopFeed::Picture() const {
  absl::MutexLock lock(&mu_);
  return picture_;
}

uint64_t TopFeed::revision() const {
  absl::MutexLock lock(&mu_);
  return revision_;
}

void TopFeed::LookAt(const std::string& job_id) {
  absl::MutexLock lock(&mu_);
  if (looked_at_ == job_id) return;
  looked_at_ = job_id;
  hurry_ = true;
  became_due_.SignalAll();
}

void TopFeed::Run() {
  while (!stop_.triggered()) {
    FollowJobs();
    const absl::Time began = clock_.Now();
    absl::Status status = only_job_.empty() ? FetchLists() : absl::OkStatus();
    if (status.ok()) status = FetchDetails();
    // With one job alone its stream says whether the coordinator is there.
    if (only_job_.empty()) SetNote(status);
    FollowJobs();
    if (stop_.WaitFor(kBetweenListsMin)) return;
    // The clock may have been set back meanwhile.
    const absl::Duration rest = std::min(kBetweenLists, began + kBetweenLists - clock_.Now());
    absl::MutexLock lock(&mu_);
    became_due_.AwaitFor(&mu_, rest,
                         [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return IsDue(); });
    hurry_ = false;
  }
}

absl::Status TopFeed::FetchLists() {
  ENTENTE_ASSIGN_OR_RETURN(const v1::ListMembersResponse members, client_->ListMembers());
  TakeMembers(members);
  ENTENTE_ASSIGN_OR_RETURN(v1::ListJobsResponse jobs, client_->ListJobs());
  TakeList(std::move(jobs));
  return absl::OkStatus();
}

absl::Status TopFeed::FetchOnlyJob() {
  ENTENTE_ASSIGN_OR_RETURN(v1::Job job, client_->GetJob(only_job_));
  absl::MutexLock lock(&mu_);
  picture_.jobs = {{.job = std::move(job), .committed = {}}};
  ++revision_;
  return absl::OkStatus();
}

absl::Status TopFeed::FetchDetails() {
  std::vector<std::string> without_rounds;
  std::string incomplete;
  {
    absl::MutexLock lock(&mu_);
    for (size_t i = 0; i < picture_.jobs.size(); ++i) {
      const TopJob& job = picture_.jobs[i];
      const bool is_looked_at = job.job.id() == looked_at_;
      if (i >= kJobsWithRoundsMax && !is_looked_at) continue;
      if (job.job.rounds_committed() > job.committed.size()) {
        without_rounds.push_back(job.job.id());
      }
      if (is_looked_at && HasEnded(job.job) && !complete_.contains(job.job.id())) {
        incomplete = job.job.id();
      }
    }
  }
  for (const std::string& job_id : without_rounds) {
    ENTENTE_ASSIGN_OR_RETURN(v1::ListRoundsResponse response, client_->ListRounds(job_id));
    absl::MutexLock lock(&mu_);
    TopJob* const job = Find(job_id);
    if (job == nullptr) continue;
    job->committed.clear();
    for (v1::Round& round : *response.mutable_rounds()) {
      if (round.phase() == v1::ROUND_PHASE_COMMITTED) job->committed.push_back(std::move(round));
    }
    ++revision_;
  }
  if (incomplete.empty()) return absl::OkStatus();
  ENTENTE_ASSIGN_OR_RETURN(v1::Job job, client_->GetJob(incomplete));
  TakeJob(std::move(job));
  return absl::OkStatus();
}

std::vector<std::string> TopFeed::JobsToFollow() {
  absl::MutexLock lock(&mu_);
  std::vector<std::string> ids;
  for (const TopJob& job : picture_.jobs) {
    if (!HasEnded(job.job) && ids.size() < kTopStreamsMax) ids.push_back(job.job.id());
  }
  return ids;
}

void TopFeed::FollowJobs() {
  for (auto stream = streams_.begin(); stream != streams_.end();) {
    bool ended = false;
    {
      absl::MutexLock lock(&mu_);
      ended = stream->second.ended;
    }
    if (ended) stream->second.thread.join();
    stream = ended ? streams_.erase(stream) : std::next(stream);
  }
  for (const std::string& job_id : JobsToFollow()) {
    if (streams_.size() >= kTopStreamsMax || streams_.contains(job_id)) continue;
    Stream& stream = streams_[job_id];
    stream.thread = std::thread([this, job_id, &stream] { Follow(job_id, &stream); });
  }
}

void TopFeed::Follow(const std::string& job_id, Stream* stream) {
  const absl::Status status =
      client_->WatchJob(job_id, [this](v1::Job job) { TakeJob(std::move(job)); });
  if (!only_job_.empty() && !status.ok()) SetNote(status);
  absl::MutexLock lock(&mu_);
  streamed_.erase(job_id);
  stream->ended = true;  // A job that goes on gets another stream within a second.
}

void TopFeed::TakeJob(v1::Job job) {
  absl::MutexLock lock(&mu_);
  TopJob* const known = Find(job.id());
  if (known == nullptr) return;
  hurry_ |= job.rounds_committed() != known->job.rounds_committed() ||
            job.state() != known->job.state() || job.round().phase() != known->job.round().phase();
  if (hurry_) became_due_.SignalAll();
  if (HasEnded(job)) {
    complete_.insert(job.id());
  } else {
    streamed_.insert(job.id());
  }
  if (!only_job_.empty()) picture_.note.clear();
  known->job = std::move(job);
  ++revision_;
}

void TopFeed::TakeMembers(const v1::ListMembersResponse& response) {
  absl::MutexLock lock(&mu_);
  picture_.members.assign(response.members().begin(), response.members().end());
  ++revision_;
}

void TopFeed::TakeList(v1::ListJobsResponse response) {
  absl::MutexLock lock(&mu_);
  std::vector<TopJob> jobs;
  for (v1::Job& listed : *response.mutable_jobs()) {
    if (jobs.size() == kTopJobsMax) break;
    TopJob job;
    TopJob* const known = Find(listed.id());
    const std::string id = listed.id();
    if (known != nullptr) job = std::move(*known);
    // The list has no participants; what a stream or GetJob brought has, and is as new.
    if (known == nullptr || !(streamed_.contains(id) || complete_.contains(id))) {
      job.job = std::move(listed);
    }
    jobs.push_back(std::move(job));
  }
  picture_.jobs_left_out = static_cast<size_t>(response.jobs_size()) - jobs.size();
  picture_.jobs = std::move(jobs);
  ++revision_;
}

TopJob* TopFeed::Find(const std::string& job_id) {
  for (TopJob& job : picture_.jobs) {
    if (job.job.id() == job_id) return &job;
  }
  return nullptr;
}

void TopFeed::SetNote(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kCancelled) return;
  absl::MutexLock lock(&mu_);
  const std::string note =
      status.ok() ? "" : absl::StrCat(status.message(), "; what is shown is old; trying again");
  if (picture_.note == note) return;
  picture_.note = note;
  ++revision_;
}

}  // namespace entente::cli
