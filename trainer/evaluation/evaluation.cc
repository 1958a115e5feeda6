// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>

namespace entente::trainer {
namespace {

constexpr int64_t kBatchSize = 256;

}  // namespace

absl::StatusOr<EvaluationResult> EvaluateModel(LearningTask task, const TensorExamples& examples,
                                               Model& model, ProgressSink& progress) {
  const torch::NoGradGuard no_gradients;
  model.SetTraining(false);
  const int64_t count = examples.count();
  const int64_t step_count = (count + kBatchSize - 1) / kBatchSize;
  double loss_sum = 0;
  int64_t correct = 0;
  for (int64_t step = 0; step < step_count; ++step) {
    const int64_t start = step * kBatchSize;
    const int64_t end = std::min(count, start + kBatchSize);
    const torch::Tensor targets = examples.targets.slice(0, start, end);
    const torch::Tensor outputs =
        // A copy, for a TorchScript program may change its input in place.
        model.Forward(examples.inputs.slice(0, start, end).clone());
    loss_sum += LossOf(task, outputs, targets).item<double>() * static_cast<double>(end - start);
    if (task == LearningTask::kClassification) {
      correct += outputs.argmax(1).eq(targets).sum().item<int64_t>();
    }
    progress.Report(
        {.step = step + 1, .step_count = step_count, .loss = loss_sum / static_cast<double>(end)});
  }
  const double loss = loss_sum / static_cast<double>(count);
  if (!std::isfinite(loss)) {
    return absl::InvalidArgumentError("the model's loss on these examples is not finite");
  }
  EvaluationResult result{.examples = count, .loss = loss, .accuracy = std::nullopt};
  if (task == LearningTask::kClassification) {
    result.accuracy = static_cast<double>(correct) / static_cast<double>(count);
  }
  return result;
}

}  // namespace entente::trainer
