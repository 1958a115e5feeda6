// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/momentum.h"

#include "common/base/check.h"

namespace entente::optimizer {

absl::Span<const absl::string_view> Momentum::StateNames() const {
  static constexpr absl::string_view kNames[] = {"m"};
  return kNames;
}

// FedAvgM: Hsu et al. 2019, "Measuring the Effects of Non-Identical Data Distribution for Federated
// Visual Classification".
void Momentum::Step(absl::Span<const double> update, absl::Span<double> model,
                    absl::Span<const absl::Span<double>> state) const {
  ENTENTE_CHECK(state.size() == 1);
  const absl::Span<double> m = state[0];
  ENTENTE_CHECK(update.size() == model.size() && m.size() == model.size());
  for (size_t i = 0; i < model.size(); ++i) {
    m[i] = momentum_ * m[i] + update[i];
    model[i] += learning_rate_ * m[i];
  }
}

}  // namespace entente::optimizer
