// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_OPTIMIZER_SERVER_OPTIMIZER_H_
#define COORDINATOR_OPTIMIZER_SERVER_OPTIMIZER_H_

// How the combined update moves the model. Reddi et al. 2021, "Adaptive Federated Optimization"
// (FedAvgM, FedAdagrad, FedAdam, FedYogi); Douillard et al. 2023, "DiLoCo" (Nesterov).
//
// Every optimizer works element by element, in double, so a block of the model can be stepped
// without the rest.

#include <memory>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace entente::optimizer {

enum class OptimizerName { kSgd, kMomentum, kNesterov, kAdagrad, kAdam, kYogi };

// The recipe's serverOptimizer with its defaults filled in; ranges are recipe.proto's.
struct ServerOptimizerSettings {
  OptimizerName name = OptimizerName::kSgd;
  double learning_rate = 1.0;
  double momentum = 0.9;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double tau = 1e-3;
};

// Immutable; thread-safe.
class ServerOptimizer {
 public:
  virtual ~ServerOptimizer() = default;

  // Names of the state kept for every element, e.g. {"m", "v"}; empty for sgd. All start at 0.
  virtual absl::Span<const absl::string_view> StateNames() const = 0;

  // Moves `model` by the combined update. `state` has one span for each of StateNames(), all of the
  // model's size, and is updated in place.
  virtual void Step(absl::Span<const double> update, absl::Span<double> model,
                    absl::Span<const absl::Span<double>> state) const = 0;
};

std::unique_ptr<ServerOptimizer> MakeServerOptimizer(const ServerOptimizerSettings& settings);

}  // namespace entente::optimizer

#endif  // COORDINATOR_OPTIMIZER_SERVER_OPTIMIZER_H_
