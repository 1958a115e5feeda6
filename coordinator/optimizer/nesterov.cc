// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/nesterov.h"

#include "common/base/check.h"

namespace entente::optimizer {

absl::Span<const absl::string_view> Nesterov::StateNames() const {
  static constexpr absl::string_view kNames[] = {"m"};
  return kNames;
}

// Nesterov momentum in the form of Sutskever et al. 2013, "On the Importance of Initialization and
// Momentum in Deep Learning", as the outer optimizer of Douillard et al. 2023, "DiLoCo: Distributed
// Low-Communication Training of Language Models", algorithm 1.
void Nesterov::Step(absl::Span<const double> update, absl::Span<double> model,
                    absl::Span<const absl::Span<double>> state) const {
  ENTENTE_CHECK(state.size() == 1);
  const absl::Span<double> m = state[0];
  ENTENTE_CHECK(update.size() == model.size() && m.size() == model.size());
  for (size_t i = 0; i < model.size(); ++i) {
    m[i] = momentum_ * m[i] + update[i];
    model[i] += learning_rate_ * (update[i] + momentum_ * m[i]);
  }
}

}  // namespace entente::optimizer
