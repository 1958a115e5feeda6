// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_OPTIMIZER_ADAGRAD_H_
#define COORDINATOR_OPTIMIZER_ADAGRAD_H_

// m = b1 m + (1 - b1) d; v += d^2; x += lr m / (sqrt(v) + tau). FedAdagrad.

#include "coordinator/optimizer/server_optimizer.h"

namespace entente::optimizer {

class Adagrad final : public ServerOptimizer {
 public:
  Adagrad(double learning_rate, double beta1, double tau)
      : learning_rate_(learning_rate), beta1_(beta1), tau_(tau) {}

  absl::Span<const absl::string_view> StateNames() const override;
  void Step(absl::Span<const double> update, absl::Span<double> model,
            absl::Span<const absl::Span<double>> state) const override;

 private:
  const double learning_rate_;
  const double beta1_;
  const double tau_;
};

}  // namespace entente::optimizer

#endif  // COORDINATOR_OPTIMIZER_ADAGRAD_H_
