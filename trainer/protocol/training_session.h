// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_PROTOCOL_TRAINING_SESSION_H_
#define TRAINER_PROTOCOL_TRAINING_SESSION_H_

// What the protocol loop drives: one prepared job on one member's data. The loop knows nothing of
// LibTorch; training/torch_session.h stands behind this interface.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "trainer/protocol/message.h"

namespace entente::trainer {

struct Progress {
  int64_t step = 0;
  int64_t step_count = 0;
  std::optional<double> loss;  // Absent before the first step.
};

// Where work in progress says how far it is; called after every step, so it must be quick.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void Report(const Progress& progress) = 0;
};

struct PreparedResult {
  int64_t examples = 0;
  int64_t held_out_examples = 0;
  std::string device;
};

struct UpdateResult {
  std::string output;
  int64_t examples = 0;
  double training_loss = 0;
  int64_t steps = 0;
  double seconds = 0;
};

struct EvaluationResult {
  int64_t examples = 0;
  double loss = 0;
  std::optional<double> accuracy;  // Classification only.
};

// Not thread-safe. Every error is one sentence; after one the session can be used as before.
class TrainingSession {
 public:
  virtual ~TrainingSession() = default;

  // Reads the data and makes the model. Replaces what was prepared before; after an error nothing
  // is prepared.
  virtual absl::StatusOr<PreparedResult> Prepare(const PrepareRequest& request) = 0;

  // Trains from the base model and writes the update. FAILED_PRECONDITION if nothing is prepared,
  // DEADLINE_EXCEEDED if it took too long; no file is left then.
  virtual absl::StatusOr<UpdateResult> Train(const TrainRequest& request,
                                             ProgressSink& progress) = 0;

  // Evaluates on the held-out examples. FAILED_PRECONDITION if nothing is prepared or none are held
  // out.
  virtual absl::StatusOr<EvaluationResult> Evaluate(const EvaluateRequest& request,
                                                    ProgressSink& progress) = 0;
};

}  // namespace entente::trainer

#endif  // TRAINER_PROTOCOL_TRAINING_SESSION_H_
