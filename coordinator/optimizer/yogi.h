// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_OPTIMIZER_YOGI_H_
#define COORDINATOR_OPTIMIZER_YOGI_H_

// m = b1 m + (1 - b1) d; v -= (1 - b2) d^2 sign(v - d^2); x += lr m / (sqrt(v) + tau). FedYogi.

#include "coordinator/optimizer/server_optimizer.h"

namespace entente::optimizer {

class Yogi final : public ServerOptimizer {
 public:
  Yogi(double learning_rate, double beta1, double beta2, double tau)
      : learning_rate_(learning_rate), beta1_(beta1), beta2_(beta2), tau_(tau) {}

  absl::Span<const absl::string_view> StateNames() const override;
  void Step(absl::Span<const double> update, absl::Span<double> model,
            absl::Span<const absl::Span<double>> state) const override;

 private:
  const double learning_rate_;
  const double beta1_;
  const double beta2_;
  const double tau_;
};

}  // namespace entente::optimizer

#endif  // COORDINATOR_OPTIMIZER_YOGI_H_
