// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/local_training.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
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

// Where the training begins: at its first step, or where a checkpoint says; model and optimizer are
// then as they were there.
TrainingPosition Begin(const LocalTrainingOptions& options, const TrainingPosition& first,
                       const std::vector<torch::Tensor>& parameters, Model& model,
                       std::unique_ptr<torch::optim::Optimizer>* optimizer) {
  if (options.checkpoint == nullptr || !options.checkpoint->Exists()) return first;
  const absl::StatusOr<TrainingPosition> taken_up =
      options.checkpoint->Restore(first, model, **optimizer);
  if (taken_up.ok()) {
    log::Info("training goes on from its checkpoint",
              {{"step", taken_up->step}, {"step_count", taken_up->step_count}});
    return *taken_up;
  }
  log::Warning("the checkpoint cannot be used; training begins anew",
               {{"reason", std::string(taken_up.status().message())}});
  *optimizer = MakeOptimizer(options.training, parameters);
  torch::manual_seed(options.seed);
  return first;
}

// Puts the state on disk when it is time to.
class CheckpointPace {
 public:
  CheckpointPace(CheckpointFile* file, const Clock& clock) : file_(file), clock_(clock) {
    if (file_ != nullptr) next_at_ = clock_.Now() + file_->every();
  }

  void AfterStep(const TrainingPosition& position, const Model& model,
                 const torch::optim::Optimizer& optimizer) {
    if (clock_.Now() < next_at_) return;
    if (const absl::Status written = file_->Write(position, model, optimizer); !written.ok()) {
      log::Warning("no checkpoint could be written",
                   {{"step", position.step}, {"reason", std::string(written.message())}});
    }
    next_at_ = clock_.Now() + file_->every();
  }

 private:
  CheckpointFile* const file_;  // Null: it is never time.
  const Clock& clock_;
  absl::Time next_at_ = absl::InfiniteFuture();
};

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
  std::unique_ptr<torch::optim::Optimizer> optimizer = MakeOptimizer(training, parameters);
  const int64_t step_count = StepCount(training, examples.count());
  TrainingPosition position =
      Begin(options, {.seed = options.seed, .step_count = step_count, .examples = examples.count()},
            parameters, model, &optimizer);
  BatchOrder order(examples.count(), training.batch_size, options.seed);
  for (int64_t step = 0; step < position.step; ++step) order.Next();
  CheckpointPace pace(options.checkpoint, clock);
  progress.Report({.step = position.step, .step_count = step_count, .loss = std::nullopt});
  while (position.step < step_count) {
    if (clock.Now() >= options.deadline) {
      return absl::DeadlineExceededError(absl::StrCat("the task's deadline passed after ",
                                                      position.step, " of ", step_count, " steps"));
    }
    const TensorExamples batch = Pick(examples, order.Next());
    const torch::Tensor loss = LossOf(options.task, model.Forward(batch.inputs), batch.targets);
    const double loss_value = loss.item<double>();
    ++position.step;
    if (!std::isfinite(loss_value)) {
      return absl::InvalidArgumentError(absl::StrCat("the loss became not finite at step ",
                                                     position.step, "; lower the learning rate"));
    }
    optimizer->zero_grad();
    loss.backward();
    if (proximal) AddProximalGradient(training.proximal_mu, base, parameters);
    optimizer->step();
    position.loss_sum += loss_value * static_cast<double>(batch.count());
    position.examples_seen += batch.count();
    pace.AfterStep(position, model, *optimizer);
    progress.Report({.step = position.step, .step_count = step_count, .loss = loss_value});
  }
  return LocalTrainingResult{
      .steps = step_count,
      .training_loss = position.loss_sum / static_cast<double>(position.examples_seen)};
}

}  // namespace entente::trainer
