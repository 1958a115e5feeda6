// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_TRAINING_LOCAL_TRAINING_H_
#define TRAINER_TRAINING_LOCAL_TRAINING_H_

// One member's training in one round.

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "trainer/models/model.h"
#include "trainer/protocol/training_session.h"
#include "trainer/recipe/recipe_view.h"
#include "trainer/training/checkpoint_file.h"
#include "trainer/training/tensor_batches.h"

namespace entente::trainer {

struct LocalTrainingOptions {
  TrainingView training;
  LearningTask task = LearningTask::kClassification;
  uint64_t seed = 0;                             // Of this round: shuffling and dropout.
  absl::Time deadline = absl::InfiniteFuture();  // Checked before every step.
  // Where the training goes on from, if it was broken off, and puts its state. Null: nowhere.
  CheckpointFile* checkpoint = nullptr;
};

struct LocalTrainingResult {
  int64_t steps = 0;
  double training_loss = 0;  // Mean over the examples of all steps, without the proximal term.
};

// Trains `model` in place, from the weights it has, with a fresh optimizer. Equal inputs give equal
// bits on the same machine and device, be it in one go or taken up from a checkpoint. A checkpoint
// that cannot be read or written is logged and costs time, nothing else.
//
// INVALID_ARGUMENT if the loss stops being finite, DEADLINE_EXCEEDED past the deadline; the model
// is then in no useful state.
absl::StatusOr<LocalTrainingResult> TrainLocally(const LocalTrainingOptions& options,
                                                 const TensorExamples& examples, const Clock& clock,
                                                 Model& model, ProgressSink& progress);

}  // namespace entente::trainer

#endif  // TRAINER_TRAINING_LOCAL_TRAINING_H_
