// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_OPTIMIZER_SGD_H_
#define COORDINATOR_OPTIMIZER_SGD_H_

// x += lr d. With a learning rate of 1 it is FedAvg.

#include "coordinator/optimizer/server_optimizer.h"

namespace entente::optimizer {

class Sgd final : public ServerOptimizer {
 public:
  explicit Sgd(double learning_rate) : learning_rate_(learning_rate) {}

  absl::Span<const absl::string_view> StateNames() const override;
  void Step(absl::Span<const double> update, absl::Span<double> model,
            absl::Span<const absl::Span<double>> state) const override;

 private:
  const double learning_rate_;
};

}  // namespace entente::optimizer

#endif  // COORDINATOR_OPTIMIZER_SGD_H_
