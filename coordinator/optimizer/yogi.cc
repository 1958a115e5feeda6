// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/yogi.h"

#include <cmath>

#include "common/base/check.h"

namespace entente::optimizer {

absl::Span<const absl::string_view> Yogi::StateNames() const {
  static constexpr absl::string_view kNames[] = {"m", "v"};
  return kNames;
}

// FedYogi: Reddi et al. 2021, "Adaptive Federated Optimization", algorithm 2.
// v starts at 0 as in the paper's public code (its algorithm box has tau^2), and there is no bias
// correction, as in both.
void Yogi::Step(absl::Span<const double> update, absl::Span<double> model,
                absl::Span<const absl::Span<double>> state) const {
  ENTENTE_CHECK(state.size() == 2);
  const absl::Span<double> m = state[0];
  const absl::Span<double> v = state[1];
  ENTENTE_CHECK(update.size() == model.size() && m.size() == model.size() &&
                v.size() == model.size());
  for (size_t i = 0; i < model.size(); ++i) {
    m[i] = beta1_ * m[i] + (1 - beta1_) * update[i];
    const double square = update[i] * update[i];
    const double sign = v[i] > square ? 1 : v[i] < square ? -1 : 0;
    v[i] -= (1 - beta2_) * square * sign;
    model[i] += learning_rate_ * m[i] / (std::sqrt(v[i]) + tau_);
  }
}

}  // namespace entente::optimizer
