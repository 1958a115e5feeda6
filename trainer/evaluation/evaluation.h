// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_EVALUATION_EVALUATION_H_
#define TRAINER_EVALUATION_EVALUATION_H_

// How good a model is on examples it was not trained on.

#include "absl/status/statusor.h"
#include "trainer/models/model.h"
#include "trainer/protocol/training_session.h"
#include "trainer/recipe/recipe_view.h"
#include "trainer/training/tensor_batches.h"

namespace entente::trainer {

// Mean loss over the examples and, for classification, the share whose largest output is their
// class. INVALID_ARGUMENT if the loss is not finite.
absl::StatusOr<EvaluationResult> EvaluateModel(LearningTask task, const TensorExamples& examples,
                                               Model& model, ProgressSink& progress);

}  // namespace entente::trainer

#endif  // TRAINER_EVALUATION_EVALUATION_H_
