// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_OPTIMIZER_NESTEROV_H_
#define COORDINATOR_OPTIMIZER_NESTEROV_H_

// m = b m + d; x += lr (d + b m). DiLoCo's outer step.

#include "coordinator/optimizer/server_optimizer.h"

namespace entente::optimizer {

class Nesterov final : public ServerOptimizer {
 public:
  Nesterov(double learning_rate, double momentum)
      : learning_rate_(learning_rate), momentum_(momentum) {}

  absl::Span<const absl::string_view> StateNames() const override;
  void Step(absl::Span<const double> update, absl::Span<double> model,
            absl::Span<const absl::Span<double>> state) const override;

 private:
  const double learning_rate_;
  const double momentum_;
};

}  // namespace entente::optimizer

#endif  // COORDINATOR_OPTIMIZER_NESTEROV_H_
