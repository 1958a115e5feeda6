// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_TRAINER_HOST_TRAINER_HOST_H_
#define WORKER_TRAINER_HOST_TRAINER_HOST_H_

// Starts, watches and stops the trainer in its sandbox: the worker's side of the trainer protocol.
//
//            Prepare             Train, Evaluate
//   (none) ----------> prepared <----------------> busy
//     ^                    |                         |
//     +--------------------+-------------------------+
//        another recipe or data set; cancelled; ended; silent; not the protocol
//
// Each job, recipe and data set get a process of their own, so that no job sees what another left
// behind, and all that a process says is about one job.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "worker/trainer_host/checkpoint_store.h"
#include "worker/trainer_host/sandbox.h"
#include "worker/trainer_host/trainer.h"
#include "worker/trainer_host/trainer_messages.h"
#include "worker/trainer_host/trainer_process.h"

namespace entente::worker {

struct TrainerHostOptions {
  SandboxSpec sandbox;  // Without data folder: that comes with Prepare.
  std::string device;   // "auto", "cpu" or "cuda".
  // A trainer that writes no line for longer, while asked, is stopped. Not while it prepares, which
  // has no progress to tell: that may take what the task may take.
  absl::Duration silence_max;
  // Where the states of trainings are kept. Borrowed; null: nowhere.
  CheckpointStore* checkpoints = nullptr;
};

// One call at a time. The thread that calls Prepare must live as long as the trainer, see
// trainer_process.h; Stop and the destructor may come from another.
class TrainerHost final : public Trainer {
 public:
  explicit TrainerHost(TrainerHostOptions options);
  ~TrainerHost() override;

  // A call whose result is CANCELLED, UNAVAILABLE or INVALID_ARGUMENT has ended the trainer; the
  // next Prepare starts a new one.
  absl::Status Prepare(const PrepareRequest& request, const CancelToken& cancel) override;
  absl::StatusOr<TrainResult> Train(const TrainRequest& request, const ProgressCallback& progress,
                                    const CancelToken& cancel) override;
  absl::StatusOr<EvaluateResult> Evaluate(const EvaluateRequest& request,
                                          const ProgressCallback& progress,
                                          const CancelToken& cancel) override;
  void Stop() override;

 private:
  // The path of the task's checkpoint in the private folder; empty if none is to be kept.
  std::string HandOutCheckpoint(const TrainRequest& request);

  // Starts the process in an empty private folder and hears its hello.
  absl::Status Start(const PrepareRequest& request, const CancelToken& cancel);

  // What the trainer is to answer, and how.
  struct Question {
    std::string line;                  // Empty: it speaks by itself.
    std::string task;                  // Empty: it is about none.
    absl::Duration silence_max;        // Between two lines.
    const ProgressCallback* progress;  // Null: nobody listens.
  };

  // Waits for a message of type Answer. Ends the process on every error but the trainer's own
  // "error".
  template <typename Answer>
  absl::StatusOr<Answer> Ask(const Question& question, const CancelToken& cancel);
  absl::StatusOr<TrainerMessage> NextAnswer(const Question& question);
  // Kills the process: it is broken or not wanted any more.
  void Abandon();
  absl::Status CheckPrepared();
  // It said nothing, or read nothing, for so long.
  static absl::Status Silent(absl::Duration limit);

  TrainerHostOptions options_;
  std::unique_ptr<TrainerProcess> process_;  // Null while none runs.
  std::string prepared_key_;                 // Empty while nothing is prepared.
};

}  // namespace entente::worker

#endif  // WORKER_TRAINER_HOST_TRAINER_HOST_H_
