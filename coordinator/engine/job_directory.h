// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_JOB_DIRECTORY_H_
#define COORDINATOR_ENGINE_JOB_DIRECTORY_H_

// Every job there is, by id. Restores them from the journal at the start, makes new ones, and
// passes on what concerns them all.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/base/random_source.h"
#include "common/base/trace_context.h"
#include "coordinator/engine/job_engine.h"
#include "entente/v1/recipe.pb.h"

namespace entente::engine {

// A request for a new job.
struct SubmitRequest {
  v1::Recipe recipe;
  std::string submitter;  // SPIFFE id.
  std::string token;      // May be empty.
  Digest initial_model;
  std::optional<TraceContext> trace = std::nullopt;  // Of the call. None: the job begins one.
};

struct SubmitOutcome {
  std::shared_ptr<JobEngine> job;
  bool created = false;  // False: the token was known, with the same recipe and model.
};

// Thread-safe.
class JobDirectory {
 public:
  // `random` is borrowed; it names jobs.
  JobDirectory(const JobEngine::Dependencies& dependencies, RandomSource* random,
               uint32_t running_jobs_max);

  // Folds the journal and resumes what was running. Call once, before anything else. It reads the
  // models and accepted updates that running jobs go on from: a model that is damaged or missing is
  // DATA_LOSS, an update is asked for again. The start is noted in the journal of every job that
  // goes on. DATA_LOSS also as JobEngine::Restore, Replay and updates::CheckSpoolIsNotAhead;
  // otherwise as store::Journal::Replay and the disk.
  absl::Status Restore(const CoordinatorStart& start = {});

  // INVALID_ARGUMENT: the recipe or the model is wrong, naming the place. NOT_FOUND: a file of the
  // recipe was not uploaded. ALREADY_EXISTS: the submitter used the token for something else.
  // RESOURCE_EXHAUSTED: too many jobs are running. Otherwise as the journal.
  absl::StatusOr<SubmitOutcome> Submit(SubmitRequest request) ABSL_LOCKS_EXCLUDED(submit_mu_, mu_);

  // NOT_FOUND naming the id.
  absl::StatusOr<std::shared_ptr<JobEngine>> Find(const JobId& id) const ABSL_LOCKS_EXCLUDED(mu_);

  // Newest first.
  std::vector<std::shared_ptr<JobEngine>> All() const ABSL_LOCKS_EXCLUDED(mu_);

  // Of the running jobs: who takes part in the round in flight, and who did in the one before.
  std::set<WorkerId> RecentParticipants() const ABSL_LOCKS_EXCLUDED(mu_);

  // A worker attached: every running job may want it.
  void OnWorkerAttached(const WorkerId& worker);
  // Its tasks may be awaited.
  void OnWorkerDetached(const WorkerId& worker);

  // Calls `done`, here or on another thread, once every running job has dealt with what it was told
  // before.
  void WhenCaughtUp(std::function<void()> done);

 private:
  absl::Status CheckFiles(const SubmitRequest& request) const;
  // Of a job whose workers download bf16: before it is journalled, and again should the copies be
  // gone after a restart.
  absl::Status RoundInitialModel(const SubmitRequest& request);
  void RestoreRoundedModels(const JobEngine& job);
  // The rounded copy of `model`, if its digest is not the one it had; RoundModel then makes it
  // anew. One that cannot be removed stays: who downloads it refuses it.
  void RemoveDamagedCopy(const Digest& model);
  absl::StatusOr<SubmitOutcome> FindByToken(const SubmitRequest& request) const
      ABSL_LOCKS_EXCLUDED(mu_);
  JobId NewId(const std::string& name) ABSL_LOCKS_EXCLUDED(mu_);
  void Add(std::shared_ptr<JobEngine> job) ABSL_LOCKS_EXCLUDED(mu_);

  const JobEngine::Dependencies deps_;
  RandomSource& random_;
  const uint32_t running_jobs_max_;
  std::atomic<uint64_t> submission_count_{0};  // Names what is made for each.

  // Submissions go one after the other: that is what makes a token mean one job. Held while one is
  // journalled, so nobody else waits for it.
  absl::Mutex submit_mu_ ABSL_ACQUIRED_BEFORE(mu_);
  mutable absl::Mutex mu_;
  std::map<JobId, std::shared_ptr<JobEngine>> jobs_ ABSL_GUARDED_BY(mu_);
  std::vector<JobId> in_order_ ABSL_GUARDED_BY(mu_);  // Oldest first.
};

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_JOB_DIRECTORY_H_
