// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/local_training.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random_source.h"
#include "trainer/data/portable_random.h"

namespace entente::trainer {
namespace {

std::unique_ptr<torch::optim::Optimizer> MakeOptimizer(
    const TrainingView& training, const std::vector<torch::Tensor>& parameters) {
  if (training.optimizer == LocalOptimizer::kAdamW) {
    return std::make_unique<torch::optim::AdamW>(
        parameters,
        torch::optim::AdamWOptions(training.learning_rate).weight_decay(training.weight_decay));
  }
  return std::make_unique<torch::optim::SGD>(parameters,
                                             torch::optim::SGDOptions(training.learning_rate)
                                                 .momentum(training.momentum)
                                                 .weight_decay(training.weight_decay));
}

// Hands out the examples in a new random order for every pass; the last batch of a pass may be
// smaller.
class BatchOrder {
 public:
  BatchOrder(int64_t count, int64_t batch_size, uint64_t seed)
      : random_(DeriveSeed(seed, "order")),
        batch_size_(batch_size),
        order_(static_cast<size_t>(count)) {
    std::iota(order_.begin(), order_.end(), int64_t{0});
    next_ = count;
  }

  std::vector<int64_t> Next() {
    const auto count = static_cast<int64_t>(order_.size());
    if (next_ == count) {
      random_.Shuffle(order_);
      next_ = 0;
    }
    const int64_t end = std::min(count, next_ + batch_size_);
    const std::vector<int64_t> batch(order_.begin() + next_, order_.begin() + end);
    next_ = end;
    return batch;
  }

 private:
  PortableRandom random_;
  const int64_t batch_size_;
  std::vector<int64_t> order_;
  int64_t next_ = 0;
};

// FedProx (Li et al. 2020, "Federated optimization in heterogeneous networks", equation 2) adds
// (mu/2)||x - x_base||^2 to the loss: its gradient is mu (x - x_base).
void AddProximalGradient(double mu, const std::vector<torch::Tensor>& base,
                         const std::vector<torch::Tensor>& parameters) {
  const torch::NoGradGuard no_gradients;
  for (size_t i = 0; i < parameters.size(); ++i) {
    torch::Tensor gradient = parameters[i].grad();
    if (gradient.defined()) gradient.add_(parameters[i] - base[i], mu);
  }
}

std::vector<torch::Tensor> Copies(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> copies;
  for (const torch::Tensor& tensor : tensors) copies.push_back(tensor.detach().clone());
  return copies;
}

int64_t StepCount(const TrainingView& training, int64_t examples) {
  if (training.steps.has_value()) return *training.steps;
  return training.epochs.value_or(1) * ((examples + training.batch_size - 1) / training.batch_size);
}

}  // namespace

absl::StatusOr<LocalTrainingResult> TrainLocally(const LocalTrainingOptions& options,
                                                 const TensorExamples& examples, const Clock& clock,
                                                 Model& model, ProgressSink& progress) {
  const TrainingView& training = options.training;
  torch::manual_seed(options.seed);
  model.SetTraining(true);
  const std::vector<torch::Tensor> parameters = ParametersOf(model);
  const bool proximal = training.proximal_mu > 0;
  const std::vector<torch::Tensor> base =
      proximal ? Copies(parameters) : std::vector<torch::Tensor>();
  const std::unique_ptr<torch::optim::Optimizer> optimizer = MakeOptimizer(training, parameters);
  BatchOrder order(examples.count(), training.batch_size, options.seed);
  const int64_t step_count = StepCount(training, examples.count());
  progress.Report({.step = 0, .step_count = step_count, .loss = std::nullopt});
  double loss_sum = 0;
  int64_t examples_seen = 0;
  for (int64_t step = 1; step <= step_count; ++step) {
    if (clock.Now() >= options.deadline) {
      return absl::DeadlineExceededError(absl::StrCat("the task's deadline passed after ", step - 1,
                                                      " of ", step_count, " steps"));
    }
    const TensorExamples batch = Pick(examples, order.Next());
    const torch::Tensor loss = LossOf(options.task, model.Forward(batch.inputs), batch.targets);
    const double loss_value = loss.item<double>();
    if (!std::isfinite(loss_value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the loss became not finite at step ", step, "; lower the learning rate"));
    }
    optimizer->zero_grad();
    loss.backward();
    if (proximal) AddProximalGradient(training.proximal_mu, base, parameters);
    optimizer->step();
    loss_sum += loss_value * static_cast<double>(batch.count());
    examples_seen += batch.count();
    progress.Report({.step = step, .step_count = step_count, .loss = loss_value});
  }
  return LocalTrainingResult{.steps = step_count,
                             .training_loss = loss_sum / static_cast<double>(examples_seen)};
}

}  // namespace entente::trainer
