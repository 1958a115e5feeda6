// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_JOB_ENGINE_H_
#define COORDINATOR_ENGINE_JOB_ENGINE_H_

// Runs one job: feeds events to the job machine, journals each before it becomes visible, then
// carries out its effects.
//
//   event -> jobs::Step -> journal -> visible state -> effects -> (later) more events
//
// All of that happens on the job's own serial executor, so the state has one owner and no lock;
// what readers see is a snapshot replaced after each event.

#include <atomic>
#include <cstdint>
#include <functional>
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
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/drain_gate.h"
#include "common/base/executor.h"
#include "common/base/file_system.h"
#include "common/base/limits.h"
#include "common/base/strong_id.h"
#include "common/base/timers.h"
#include "common/crypto/sha256.h"
#include "coordinator/engine/aggregation_retry.h"
#include "coordinator/engine/aggregation_run.h"
#include "coordinator/engine/job_change.h"
#include "coordinator/engine/job_description.h"
#include "coordinator/engine/lease_book.h"
#include "coordinator/engine/round_chronicle.h"
#include "coordinator/engine/watch_list.h"
#include "coordinator/engine/worker_terms.h"
#include "coordinator/jobs/job_machine.h"
#include "coordinator/jobs/job_plan.h"
#include "coordinator/members/worker_registry.h"
#include "coordinator/models/model_store.h"
#include "coordinator/rounds/round_report.h"
#include "coordinator/store/journal.h"
#include "coordinator/updates/update_spool.h"
#include "entente/v1/recipe.pb.h"
#include "entente/v1/task.pb.h"

namespace entente::engine {

// What is shown as the activity of a worker whose update was put off.
inline constexpr absl::string_view kWaitsForRoom =
    "waiting with its update for room on the coordinator's disk";

// What a worker last said about its task.
struct WorkerProgress {
  std::string activity;
  uint64_t step = 0;
  uint64_t step_count = 0;
  double loss = 0;
  bool waits_for_room = false;  // See PutOffUpdate; a view then has kWaitsForRoom as activity.
};

// A consistent look at a job.
struct JobView {
  std::shared_ptr<const JobDescription> description;
  std::shared_ptr<const jobs::JobState> state;
  std::map<WorkerId, WorkerProgress> progress;  // Of the round in flight.
  std::optional<rounds::Metrics> evaluation;    // Of the newest model that was evaluated.
  uint64_t bytes_up = 0;    // Of accepted updates as they travelled, all rounds.
  uint64_t bytes_down = 0;  // Of models sent, since the coordinator started.
  std::optional<rounds::Combining> combining = std::nullopt;  // While the updates are combined.
  absl::Status journal_health = absl::OkStatus();             // store::Journal::Health.
  // Until when silence is borne of those who are awaited, by the clock as it stood when they were
  // last heard: for people, since leases themselves do not go by it.
  std::map<WorkerId, absl::Time> lease_ends = {};
  // When the planned attempt may open, if it rests after the one before; by the clock as it stood.
  std::optional<absl::Time> rests_until = std::nullopt;
};

// How a job came to where it is.
struct JobHistory {
  // Every ended attempt, oldest first, and beside each, at the same index, its chronicle.
  std::vector<std::shared_ptr<const rounds::RoundState>> rounds;
  std::vector<std::shared_ptr<const RoundChronicle>> chronicles;
  RoundChronicle in_flight;
  uint64_t sequence = 0;  // Of the last event that is in it.
};

// An update that has arrived whole and valid.
struct ArrivedUpdate {
  WorkerId worker;
  uint32_t round_index = 0;
  uint32_t attempt = 1;
  rounds::UpdateRecord record;
};

// The start of a coordinator on a journal that has jobs, for people to read in it.
struct CoordinatorStart {
  std::string version = {};    // Of the program; may be empty.
  bool after_a_crash = false;  // See store::SqliteJournal::WasLeftOpen.
};

// Thread-safe. What waits on an engine's executor keeps it alive, hence shared_ptr; timers do not.
class JobEngine : public std::enable_shared_from_this<JobEngine> {
 public:
  // Borrowed collaborators; all must outlive the engine and the work on the executors.
  struct Dependencies {
    const Clock* clock = nullptr;         // Wall time.
    const Clock* steady_clock = nullptr;  // What `pauses` go by.
    store::Journal* journal = nullptr;
    models::ModelStore* models = nullptr;
    updates::UpdateSpool* spool = nullptr;
    FileSystem* files = nullptr;
    members::WorkerRegistry* workers = nullptr;
    Timers* timers = nullptr;              // By wall time: deadlines.
    Timers* pauses = nullptr;              // By steady time: leases, and tries again.
    Executor* executor = nullptr;          // Carries every job's serial executor.
    Executor* aggregation_lane = nullptr;  // Where an aggregation blocks until it is done.
    Executor* aggregation_pool = nullptr;  // Where its blocks run.
    int aggregation_threads = 1;
    DrainGate* gate = nullptr;  // Aggregations run inside it, so that a stop waits for them.
    const std::atomic<bool>* stop_aggregations = nullptr;  // Null: none; once true they end.
    // Before an aggregation is tried again whose disk failed; see AggregationRetry.
    absl::Duration aggregation_retry_pause = limits::kAggregationRetryPause;
    JobObserver on_change = nullptr;  // Null: nobody wants to know.
  };

  // A new job: journalled as submitted when it returns OK. Resume starts it. Errors are the
  // journal's.
  static absl::StatusOr<std::shared_ptr<JobEngine>> Submit(const Dependencies& dependencies,
                                                           JobDescription description,
                                                           const Digest& initial_model);

  // A job out of the journal: feed every later entry to Replay, then call NoteStart and Resume.
  // DATA_LOSS if the entry is not a job's submission, or as Replay.
  static absl::StatusOr<std::shared_ptr<JobEngine>> Restore(const Dependencies& dependencies,
                                                            const store::JournalEntry& submitted);
  // DATA_LOSS if the entry cannot be read or does not follow from the ones before.
  absl::Status Replay(const store::JournalEntry& entry);
  // Notes in the journal of a job that has not ended that the coordinator was started again, and
  // where the job stands; at most limits::kStartsNotedMax times while the same tasks are out. The
  // job goes on without the note if the journal does not take it. The observer is not told, for
  // nothing has changed.
  void NoteStart(const CoordinatorStart& start);
  // Goes on where the journal ends: asks again for the accepted updates that are lost (by worker,
  // and how), waits for workers again, and repeats an aggregation cut short.
  void Resume(std::map<WorkerId, std::string> lost_updates = {});

  const JobDescription& description() const { return *description_; }
  JobView View() const ABSL_LOCKS_EXCLUDED(mu_);
  // The same of View().state, without a copy of the rest.
  bool HasEnded() const ABSL_LOCKS_EXCLUDED(mu_);

  // Every ended attempt, oldest first, then the one in flight.
  std::vector<std::shared_ptr<const rounds::RoundState>> Rounds() const ABSL_LOCKS_EXCLUDED(mu_);

  JobHistory History() const ABSL_LOCKS_EXCLUDED(mu_);
  // The same, of the round in flight alone.
  RoundChronicle ChronicleInFlight() const ABSL_LOCKS_EXCLUDED(mu_);

  // Calls `on_change` after every event and every progress, on any thread, until Unwatch; it must
  // not block. Calls in flight may still end after Unwatch has returned.
  uint64_t Watch(std::function<void()> on_change);
  void Unwatch(uint64_t id);

  // Journals the update; `done` is called on the job's executor once that is durable, or with the
  // reason why it is not welcome (as jobs::Step), or as store::Journal::Append.
  void AcceptUpdate(const ArrivedUpdate& update, std::function<void(absl::Status)> done);
  // Notes that the update was not fit, for the submitter to read.
  void RefuseUpdate(const WorkerId& worker, const v1::TaskKey& key,
                    const rounds::AnnouncedUpdate& update, std::string reason);
  // Notes that there is no room for the worker's update. Shown until the worker says that it does
  // something else.
  void PutOffUpdate(const WorkerId& worker, const v1::TaskKey& key, std::string reason);

  // What workers say on their control streams. Anything that does not fit the round in flight is
  // ignored: it is late, or wrong. Only a worker that works on what nothing can come of is told so,
  // and if the job has ended, that; see stale_task.h.
  void OnTaskAccepted(const WorkerId& worker, const v1::TaskKey& key);
  void OnTaskDeclined(const WorkerId& worker, const v1::TaskKey& key, std::string reason);
  // `may_return`: it stops, and may come back to the task while the round is open; not more than
  // limits::kTaskStopsMax times since the coordinator's last start.
  void OnTaskFailed(const WorkerId& worker, const v1::TaskKey& key, std::string reason,
                    bool may_return);
  void OnProgress(const WorkerId& worker, const v1::TaskKey& key, WorkerProgress progress);
  void OnEvaluated(const WorkerId& worker, const v1::TaskKey& key, rounds::Metrics metrics);
  // It attached, or said that it is away or back.
  void OnWorkerAttached(const WorkerId& worker);
  // Its lease decides what comes of that; whoever looks at the job is told.
  void OnWorkerDetached(const WorkerId& worker);

  // Calls `done` on the job's executor once what was said before has been dealt with.
  void WhenCaughtUp(std::function<void()> done);

  // `done` is called with FAILED_PRECONDITION if the job has ended, otherwise as
  // store::Journal::Append.
  void Cancel(std::string reason, std::function<void(absl::Status)> done);
  // As jobs::JobPaused and JobResumed; OK and not journalled if it changes nothing. `done` is
  // called as Cancel's.
  void PauseJob(std::string reason, bool now, std::function<void(absl::Status)> done);
  void ResumeJob(std::string reason, std::function<void(absl::Status)> done);

  void AddBytesDown(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);

  // Whether `file` is `model` in a form in which workers of this job download it. Reads the disk.
  bool IsDownloadOf(const Digest& model, const Digest& file) const;

 private:
  JobEngine(const Dependencies& dependencies, JobDescription description);

  // On the executor from here on, or before the engine is shared.
  absl::Status Apply(const jobs::JobEvent& event);
  // What an event that is journalled and visible still asks for.
  struct Aftermath {
    std::vector<jobs::JobEffect> effects;
    bool ended_a_round = false;
  };
  // Apply, up to there; a rest after an attempt that failed begins.
  absl::StatusOr<Aftermath> JournalAndPublish(const jobs::JobEvent& event);
  void ApplyRound(uint32_t round_index, uint32_t attempt, rounds::RoundEvent event);
  // What the journal did not take a while ago, unless it is not so any more: the clock was set back
  // before a deadline, who was gone has been heard of since and has a lease again, or who was back
  // is gone. A round that could not be opened is opened with whoever is there by now.
  void ApplyRoundAgain(uint32_t round_index, uint32_t attempt, const rounds::RoundEvent& event);
  void Publish(jobs::JobTransition transition, absl::Time at) ABSL_LOCKS_EXCLUDED(mu_);
  void TellObserver(bool ended_a_round) ABSL_LOCKS_EXCLUDED(mu_);
  // No event says that a participant came or went, but whoever looks at the job sees it.
  void TellOfAttachment(const WorkerId& worker);
  void CarryOut(const jobs::JobEffect& effect);
  void CarryOut(const rounds::RoundEffect& effect);
  void TryToOpenRound();
  // After an attempt that failed: whoever failed at once would fail at once again, and all attempts
  // would be used up in seconds. A start of the coordinator ends the rest.
  void RestBeforeNextAttempt() ABSL_LOCKS_EXCLUDED(mu_);
  // Who of them would be asked in the round in flight; nobody if they cannot meet its quorum.
  std::vector<WorkerId> CohortOf(std::vector<WorkerId> eligible) const;
  void SendTask(const WorkerId& worker, v1::TaskKey::Kind kind);
  void StartAggregation();
  void EndAggregation(uint32_t round_index, uint32_t attempt,
                      const std::map<WorkerId, double>& weights,
                      const absl::StatusOr<AggregationOutcome>& outcome);
  bool IsAggregating(uint32_t round_index, uint32_t attempt) const;
  void RepeatAggregationAfter(absl::Duration pause);
  // For whoever looks at the job. No pause: there is no further try.
  void NoteTry() ABSL_LOCKS_EXCLUDED(mu_);
  void NoteTryFailed(const std::string& reason, std::optional<absl::Duration> pause,
                     bool lacks_room = false) ABSL_LOCKS_EXCLUDED(mu_);
  // The aggregation failed for good: perhaps for an update that is not what was accepted.
  void LookForLostUpdates(const std::string& reason);
  void EndLookForLostUpdates(uint32_t round_index, uint32_t attempt,
                             const std::map<WorkerId, std::string>& lost,
                             const std::string& reason);
  // Of the round in flight. Not for who has lost too many in it.
  void AskAgainFor(const std::map<WorkerId, std::string>& lost);
  void ArmDeadline(absl::Time at);
  // What is due if the attempt's deadline has passed; if not, it is armed again.
  void CheckDeadline(uint32_t round_index, uint32_t attempt);
  // After a check that came to nothing, for the clock was set back between two looks at it.
  void KeepDeadline(uint32_t round_index, uint32_t attempt);
  void RenewLease(const WorkerId& worker) ABSL_LOCKS_EXCLUDED(mu_);
  void ArmLeaseCheck();
  void CheckLeases();
  // In the list of members.
  void ShowThatUpdateWaits(const WorkerId& worker);
  uint32_t UpdatesWithoutRoom() const ABSL_LOCKS_EXCLUDED(mu_);
  void FailEvaluation(const WorkerId& worker, const std::string& reason);
  // Whatever is asked of it in this round: it is away.
  void Skip(const WorkerId& worker, const std::string& reason);
  // Whether the event may end the attempt for who is away without it being counted.
  bool ExcusesAbsence(const rounds::RoundEvent& event) const;
  // Lets a planned round that lacks nobody but workers that are away wait for them, if they are
  // back after its deadline; whether it does.
  bool AwaitAbsent();
  // For whom to wait; none if more are lacking, or it would be for too long.
  std::optional<rounds::AbsenceAwaited> AbsenceToAwait() const;
  void RepeatEffects();
  // What a worker says it works on and this round does not await.
  void CallOffIfStale(const WorkerId& worker, const v1::TaskKey& key);
  // Null if that attempt has not ended, or never was.
  std::shared_ptr<const rounds::RoundState> EndedAttempt(uint32_t round_index,
                                                         uint32_t attempt) const
      ABSL_LOCKS_EXCLUDED(mu_);
  bool IsCurrent(const v1::TaskKey& key) const;
  bool IsAwaited(const WorkerId& worker, v1::TaskKey::Kind kind) const;
  void Post(std::function<void(JobEngine&)> task);
  // At a wall time, or after a while whatever the clock is set to; not if the engine is gone by
  // then.
  void PostAt(absl::Time at, std::function<void(JobEngine&)> task);
  void PostAfter(absl::Duration pause, std::function<void(JobEngine&)> task);

  // Constant after construction.
  const Dependencies deps_;
  const std::shared_ptr<const JobDescription> description_;
  const jobs::AggregationPlan aggregation_plan_;
  const absl::Duration lease_;

  SerialExecutor executor_;
  WatchList watchers_;

  // Touched on the executor only (and before the engine is shared).
  uint64_t sequence_ = 0;
  jobs::JobState working_state_;
  LeaseBook leases_;                        // In steady time.
  std::set<WorkerId> returns_tried_again_;  // Whose return the journal has still to take.
  bool opening_tried_again_ = false;        // The same of the round that opens.
  std::map<WorkerId, int> task_stops_;  // How often who stopped its task; of the attempt in flight.
  AggregationRetry aggregation_retry_;
  absl::Time lease_check_at_ = absl::InfiniteFuture();
  absl::Time rest_ends_at_ = absl::InfinitePast();  // In steady time.
  bool lack_of_room_logged_ = false;                // In the attempt in flight.
  int starts_noted_ = 0;                            // Since the tasks that are out.
  WorkerTermsBook terms_;

  mutable absl::Mutex mu_;
  std::shared_ptr<const jobs::JobState> state_ ABSL_GUARDED_BY(mu_);
  // Ascending by round and attempt.
  std::vector<std::shared_ptr<const rounds::RoundState>> ended_rounds_ ABSL_GUARDED_BY(mu_);
  RoundChronicles chronicles_ ABSL_GUARDED_BY(mu_);
  std::map<WorkerId, WorkerProgress> progress_ ABSL_GUARDED_BY(mu_);
  std::map<WorkerId, absl::Time> lease_ends_ ABSL_GUARDED_BY(mu_);
  std::optional<rounds::Metrics> evaluation_ ABSL_GUARDED_BY(mu_);
  uint64_t bytes_up_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t bytes_down_ ABSL_GUARDED_BY(mu_) = 0;
  std::optional<rounds::Combining> combining_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Time> rests_until_ ABSL_GUARDED_BY(mu_);  // By wall time, for people.
};

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_JOB_ENGINE_H_
