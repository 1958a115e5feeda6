// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TASK_FLOW_H_
#define WORKER_SESSION_TASK_FLOW_H_

// The way of one task through the worker:
//
//   policy -> download model -> expand it -> prepare trainer -> train -> encode -> keep -> upload
//                                                           \-> evaluate -> metrics
//
// A trainer that ends or falls silent is started again and the step tried once more, as often as
// one came further than any before it: what ends a training of hours now and then does not end its
// task. Two in a row that did not, and the task has failed.

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "worker/cache/model_cache.h"
#include "worker/session/residual_store.h"
#include "worker/session/resume_state.h"
#include "worker/session/task_admission.h"
#include "worker/session/task_runner.h"
#include "worker/session/transfers.h"
#include "worker/trainer_host/checkpoint_store.h"
#include "worker/trainer_host/trainer.h"

namespace entente::worker {

// One call at a time, see task_runner.h.
class TaskFlow final : public TaskRunner {
 public:
  // Borrowed; all must outlive this.
  struct Dependencies {
    FileSystem* files = nullptr;
    const Clock* clock = nullptr;  // What Run's `deadline` is a time of.
    const OfferedDatasets* datasets = nullptr;
    const TaskAdmission* admission = nullptr;
    ModelCache* models = nullptr;  // What `transfers` downloads to.
    Transfers* transfers = nullptr;
    Trainer* trainer = nullptr;
    ResumeState* resume_state = nullptr;
    ResidualStore* residuals = nullptr;
    CheckpointStore* checkpoints = nullptr;  // Null: no trainer is asked for any.
  };

  explicit TaskFlow(Dependencies dependencies);

  TaskResult Run(const v1::Task& task, absl::Time deadline, const Report& report,
                 const CancelToken& cancel) override;
  void Forget(const v1::TaskKey& key) override;
  void ForgetJob(const std::string& job_id) override;
  void Close() override;

 private:
  // One Run's arguments.
  struct Work {
    const v1::Task& task;
    absl::Time deadline;
    const Report& report;
    const CancelToken& cancel;
  };

  struct FetchedModel {
    ModelCache::Lease lease;
    std::string path;  // For as long as the lease lives.
  };

  TaskResult RunTraining(const Work& work);
  TaskResult RunEvaluation(const Work& work);

  // What is kept for the job's earlier rounds is of no use any more.
  void ForgetOtherRounds(const v1::TaskKey& key);
  // Trains and leaves an encoded update in the resume state.
  absl::StatusOr<KeptUpdate> MakeUpdate(const Work& work);
  absl::StatusOr<TrainResult> Train(const Work& work, const std::string& model_path);
  // Its training has ended, one way or the other.
  void DropCheckpoint(const v1::TaskKey& key);
  absl::Status CheckUpdateBytes(const Work& work, const std::string& model_path);
  absl::Duration TimeLeft(const Work& work) const;
  // What Encode wrote: the target's digest, and whether it left something at the residual store's
  // NewPath.
  struct Encoded {
    Digest digest;
    bool leaves_residual = false;
  };
  // Writes the trainer's file as the recipe wants it, with what topk left out before, and leaves
  // what is left out now at the residual store's NewPath.
  absl::StatusOr<Encoded> Encode(const Work& work, const std::string& source,
                                 const std::string& target);
  absl::StatusOr<KeptUpdate> KeepUpdate(const Work& work, const TrainResult& result);
  absl::StatusOr<ModelCache::Lease> Fetch(const Work& work, const std::string& digest);
  // The task's model, as the trainer reads it. The job's previous one goes first.
  absl::StatusOr<FetchedModel> FetchModel(const Work& work);
  // Prepares the trainer and has it do `step`, and both again if the trainer broke; see above.
  // Reports its progress as `activity`.
  absl::Status WithTrainer(const Work& work, absl::string_view activity,
                           absl::FunctionRef<absl::Status(const Trainer::ProgressCallback&)> step);
  absl::Status Prepare(const Work& work, const std::string& program_path);

  const Dependencies dependencies_;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_TASK_FLOW_H_
