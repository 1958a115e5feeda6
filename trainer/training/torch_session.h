// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_TRAINING_TORCH_SESSION_H_
#define TRAINER_TRAINING_TORCH_SESSION_H_

// The training session with LibTorch behind it. This header includes no LibTorch.

#include <memory>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "trainer/protocol/training_session.h"

namespace entente::trainer {

class TorchSession final : public TrainingSession {
 public:
  // Both are borrowed.
  TorchSession(FileSystem& files, const Clock& clock);
  ~TorchSession() override;

  absl::StatusOr<PreparedResult> Prepare(const PrepareRequest& request) override;
  absl::StatusOr<UpdateResult> Train(const TrainRequest& request, ProgressSink& progress) override;
  absl::StatusOr<EvaluationResult> Evaluate(const EvaluateRequest& request,
                                            ProgressSink& progress) override;

 private:
  struct Job;

  absl::StatusOr<UpdateResult> TrainJob(const TrainRequest& request, ProgressSink& progress);

  FileSystem& files_;
  const Clock& clock_;
  std::unique_ptr<Job> job_;  // Null until prepared.
};

// "1.13.1".
std::string LibTorchVersion();

}  // namespace entente::trainer

#endif  // TRAINER_TRAINING_TORCH_SESSION_H_
