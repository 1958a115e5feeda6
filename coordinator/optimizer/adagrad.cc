// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/adagrad.h"

#include <cmath>

#include "common/base/check.h"

namespace entente::optimizer {

absl::Span<const absl::string_view> Adagrad::StateNames() const {
  // Without momentum m is d itself, and half the state is saved.
  static constexpr absl::string_view kNames[] = {"m", "v"};
  return absl::MakeConstSpan(kNames).subspan(beta1_ == 0 ? 1 : 0);
}

// FedAdagrad: Reddi et al. 2021, "Adaptive Federated Optimization", algorithm 2.
// v starts at 0 as in the paper's public code (its algorithm box has tau^2), and there is no bias
// correction, as in both.
void Adagrad::Step(absl::Span<const double> update, absl::Span<double> model,
                   absl::Span<const absl::Span<double>> state) const {
  ENTENTE_CHECK(state.size() == StateNames().size());
  const bool has_momentum = state.size() == 2;
  const absl::Span<double> v = state[state.size() - 1];
  ENTENTE_CHECK(update.size() == model.size() && v.size() == model.size());
  for (size_t i = 0; i < model.size(); ++i) {
    double m = update[i];
    if (has_momentum) m = state[0][i] = beta1_ * state[0][i] + (1 - beta1_) * update[i];
    v[i] += update[i] * update[i];
    model[i] += learning_rate_ * m / (std::sqrt(v[i]) + tau_);
  }
}

}  // namespace entente::optimizer
