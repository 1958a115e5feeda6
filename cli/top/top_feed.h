// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_TOP_TOP_FEED_H_
#define CLI_TOP_TOP_FEED_H_

// Keeps a TopPicture as the coordinator has it. Every job that has not ended is followed over a
// WatchJob stream of its own. Members and the list of jobs have no stream: they are asked for once
// a second, and at once when a job that is followed changes its round or its state. A coordinator
// that cannot be reached is tried again for as long as the feed lives; the picture says so.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "cli/coordinator_client.h"
#include "cli/interruption.h"
#include "cli/top/top_picture.h"
#include "common/base/clock.h"
#include "common/base/steady_cond_var.h"

namespace entente::cli {

// Jobs followed at once; of more, the newest.
inline constexpr size_t kTopStreamsMax = 32;

// Thread-safe.
class TopFeed {
 public:
  struct Dependencies {
    const Clock* clock = nullptr;
    Interruption* interruption = nullptr;  // Of the whole program.
  };

  // Follows everything, or with `only_job` that job alone. Nothing is asked yet.
  // INVALID_ARGUMENT if one of the target's files is wrong.
  static absl::StatusOr<std::unique_ptr<TopFeed>> Create(const ConnectionTarget& target,
                                                         absl::Duration timeout,
                                                         const std::string& only_job,
                                                         Dependencies deps);

  // Ends every call and waits for the threads.
  ~TopFeed();
  TopFeed(const TopFeed&) = delete;
  TopFeed& operator=(const TopFeed&) = delete;

  // Asks for everything once, on this thread; the coordinator's error if it cannot be had. Before
  // Start, so that what will never work is said in one sentence instead of a picture.
  absl::Status FetchOnce();

  // Begins to follow.
  void Start();

  // As it is now; its `now` is not set.
  TopPicture Picture() const ABSL_LOCKS_EXCLUDED(mu_);

  // Another number after every change of the picture.
  uint64_t revision() const ABSL_LOCKS_EXCLUDED(mu_);

  // Somebody looks at this job: its rounds and participants are wanted though it has ended.
  void LookAt(const std::string& job_id) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // A WatchJob stream and its thread.
  struct Stream {
    bool ended = false;  // Guarded by the feed's mu_.
    std::thread thread;
  };

  TopFeed(std::string coordinator, std::string only_job, const Clock* clock);

  void Run();
  absl::Status FetchLists() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status FetchOnlyJob() ABSL_LOCKS_EXCLUDED(mu_);
  // The rounds that were committed since they were fetched, and ended jobs that are looked at.
  absl::Status FetchDetails() ABSL_LOCKS_EXCLUDED(mu_);
  void FollowJobs() ABSL_LOCKS_EXCLUDED(mu_);
  void Follow(const std::string& job_id, Stream* stream) ABSL_LOCKS_EXCLUDED(mu_);
  void TakeJob(v1::Job job) ABSL_LOCKS_EXCLUDED(mu_);
  void TakeMembers(const v1::ListMembersResponse& response) ABSL_LOCKS_EXCLUDED(mu_);
  void TakeList(v1::ListJobsResponse response) ABSL_LOCKS_EXCLUDED(mu_);
  TopJob* Find(const std::string& job_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<std::string> JobsToFollow() ABSL_LOCKS_EXCLUDED(mu_);
  void SetNote(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  bool IsDue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return hurry_ || stopped_; }

  const std::string only_job_;
  const Clock& clock_;
  Interruption stop_;  // Of the feed's own calls and waits.
  std::unique_ptr<CoordinatorClient> client_;
  std::unique_ptr<Interruption::Registration> with_program_;
  std::map<std::string, Stream> streams_;  // Used by the one thread of Run.

  mutable absl::Mutex mu_;
  SteadyCondVar became_due_;
  TopPicture picture_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> streamed_ ABSL_GUARDED_BY(mu_);  // Whose stream is newer than any list.
  std::set<std::string> complete_ ABSL_GUARDED_BY(mu_);  // Ended jobs that were fetched in full.
  std::string looked_at_ ABSL_GUARDED_BY(mu_);
  uint64_t revision_ ABSL_GUARDED_BY(mu_) = 0;
  bool hurry_ ABSL_GUARDED_BY(mu_) = false;  // Do not wait out the second.
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace entente::cli

#endif  // CLI_TOP_TOP_FEED_H_
