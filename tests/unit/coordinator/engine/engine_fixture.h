// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COORDINATOR_ENGINE_ENGINE_FIXTURE_H_
#define TESTS_UNIT_COORDINATOR_ENGINE_ENGINE_FIXTURE_H_

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/timer_queue.h"
#include "common/recipe/recipe_encoding.h"
#include "coordinator/engine/job_directory.h"
#include "coordinator/engine/upload_intake.h"
#include "coordinator/store/observed_journal.h"
#include "coordinator/store/sqlite_journal.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/temp_folder.h"

namespace entente::engine {

// A worker's connection that remembers what it was sent. Thread-safe.
class RecordingConnection final : public members::WorkerConnection {
 public:
  void Send(const v1::CoordinatorMessage& message) override;
  void Close(const absl::Status&) override {}

  // Waits until the n-th task (from 0) has come.
  v1::Task WaitForTask(size_t n);
  size_t task_count() const;
  // Waits until a task is called off.
  v1::TaskCancelled WaitForCancelled();
  // Waits until a job is said to be over.
  v1::JobEnded WaitForJobEnded();

 private:
  mutable absl::Mutex mu_;
  std::vector<v1::Task> tasks_ ABSL_GUARDED_BY(mu_);
  std::vector<v1::TaskCancelled> cancelled_ ABSL_GUARDED_BY(mu_);
  std::vector<v1::JobEnded> ended_ ABSL_GUARDED_BY(mu_);
};

// The machine's clock, until somebody sets it.
class SettableClock final : public Clock {
 public:
  absl::Time Now() const override { return real_.Now() + absl::Milliseconds(offset_ms_.load()); }
  void Jump(absl::Duration by) { offset_ms_ += absl::ToInt64Milliseconds(by); }

 private:
  const SystemClock real_;
  std::atomic<int64_t> offset_ms_{0};
};

// A journal whose disk has its moments.
class FlakyJournal final : public store::Journal {
 public:
  explicit FlakyJournal(store::Journal* real) : real_(*real) {}

  // How many of the aggregations' results it will not take, from the start of a test.
  std::atomic<int> aggregated_failures{0};
  // The same of accepted updates.
  std::atomic<int> accepted_failures{0};
  // The same of updates that are found lost.
  std::atomic<int> lost_failures{0};
  // The same of tasks that were declined.
  std::atomic<int> declined_failures{0};
  // The same of workers that are back.
  std::atomic<int> returned_failures{0};
  // The same of rounds that open.
  std::atomic<int> opened_failures{0};
  // The same of the coordinator's starts.
  std::atomic<int> start_failures{0};
  // The same of deadlines that have passed.
  std::atomic<int> deadline_failures{0};
  // The same of workers that were silent, be it when they were to evaluate.
  std::atomic<int> silence_failures{0};

  absl::Status Append(const store::JournalEntry& entry) override {
    const auto& round = entry.record.round();
    if (round.has_aggregated() && aggregated_failures.fetch_sub(1) > 0) {
      return absl::ResourceExhaustedError("the disk is full");
    }
    const bool is_of_silence = round.has_worker_missing() || round.has_evaluation_failed();
    if ((round.has_update_accepted() && accepted_failures.fetch_sub(1) > 0) ||
        (round.has_update_lost() && lost_failures.fetch_sub(1) > 0) ||
        (round.has_task_declined() && declined_failures.fetch_sub(1) > 0) ||
        (round.has_opened() && opened_failures.fetch_sub(1) > 0) ||
        (round.has_worker_returned() && returned_failures.fetch_sub(1) > 0) ||
        (round.has_deadline_checked() && deadline_failures.fetch_sub(1) > 0) ||
        (is_of_silence && silence_failures.fetch_sub(1) > 0) ||
        (entry.record.has_coordinator_started() && start_failures.fetch_sub(1) > 0)) {
      return absl::UnavailableError("the journal could not be synced");
    }
    return real_.Append(entry);
  }
  absl::Status Replay(
      const std::function<absl::Status(const store::JournalEntry&)>& visit) const override {
    return real_.Replay(visit);
  }

 private:
  store::Journal& real_;
};

// The engine with everything real but the wire: journal, store and spool in a temporary folder.
class EngineTest : public ::testing::Test {
 protected:
  explicit EngineTest(uint64_t spool_quota_bytes = updates::SpaceLedger::kNoQuota);
  ~EngineTest() override;

  // Everything that lives on the disk, opened again, as after a restart.
  void Restart();

  // A recipe for `rounds` rounds with quorum `quorum`, without evaluation unless asked for.
  static v1::Recipe RecipeOf(uint32_t rounds, uint32_t quorum, bool evaluates = false);

  // Stores the model {"w": [2] of F32} with these values.
  Digest StoreModel(float a, float b);
  std::string UpdateBytes(float a, float b) const;

  std::shared_ptr<RecordingConnection> AttachWorker(
      const std::string& id, const std::vector<v1::Updates::Encoding>& encodings = KnownEncodings(),
      const std::vector<v1::Updates::Download>& downloads = KnownDownloads());
  std::shared_ptr<JobEngine> Submit(const v1::Recipe& recipe);

  // Of an update of 10 examples that answers `task`.
  static v1::UploadHeader UploadHeaderOf(const v1::Task& task, const std::string& bytes);

  // Uploads {"w": [a, b]} for the task, as the worker would; the status of its sealing.
  absl::Status Upload(const std::string& worker, const v1::Task& task, float a, float b,
                      uint64_t examples = 10);
  absl::Status UploadRaw(const std::string& worker, const v1::Task& task, const std::string& bytes,
                         const Digest& digest, uint64_t examples);

  // Waits, at most a minute, until the job's view satisfies `done`.
  static JobView WaitFor(JobEngine& job, const std::function<bool(const JobView&)>& done);
  static JobView WaitForEnd(JobEngine& job);

  // What uploads that were cut or refused have left, of updates and of models: paths of parts.
  std::vector<std::string> PartsLeft() const;

  // The two values of a stored model.
  std::vector<float> ModelValues(const Digest& digest);

  const TempFolder folder_;
  FaultyFileSystem files_;
  SettableClock clock_;
  SettableClock steady_clock_;  // Only the test that says so sets this one.
  SystemRandomSource random_;
  std::unique_ptr<store::SqliteJournal> real_journal_;
  std::unique_ptr<FlakyJournal> journal_;
  std::unique_ptr<store::ObservedJournal> observed_journal_;  // What the jobs write to.
  std::unique_ptr<models::ModelStore> models_;
  std::unique_ptr<updates::UpdateSpool> spool_;
  std::unique_ptr<members::WorkerRegistry> workers_;
  std::unique_ptr<DrainGate> gate_;
  std::unique_ptr<JobDirectory> jobs_;
  std::unique_ptr<UploadIntake> uploads_;
  std::unique_ptr<TimerQueue> timers_;
  std::unique_ptr<TimerQueue> pauses_;
  std::unique_ptr<ThreadPool> executor_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<ThreadPool> lane_;

  const uint64_t spool_quota_bytes_;
  // What the jobs are told; from Restart on.
  absl::Duration aggregation_retry_pause_ = absl::Milliseconds(20);

  // The first half of Restart: nothing is open any more. The second half, which fails the test if
  // something cannot be opened, does not restore the jobs.
  void Shut();
  void Open();
};

}  // namespace entente::engine

#endif  // TESTS_UNIT_COORDINATOR_ENGINE_ENGINE_FIXTURE_H_
