// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/sgd.h"

#include "common/base/check.h"

namespace entente::optimizer {

absl::Span<const absl::string_view> Sgd::StateNames() const { return {}; }

// FedAvg: McMahan et al. 2017, "Communication-Efficient Learning of Deep Networks from
// Decentralized Data"; as a server optimizer in Reddi et al. 2021, "Adaptive Federated
// Optimization".
void Sgd::Step(absl::Span<const double> update, absl::Span<double> model,
               absl::Span<const absl::Span<double>> /*state*/) const {
  ENTENTE_CHECK(update.size() == model.size());
  for (size_t i = 0; i < model.size(); ++i) model[i] += learning_rate_ * update[i];
}

}  // namespace entente::optimizer
