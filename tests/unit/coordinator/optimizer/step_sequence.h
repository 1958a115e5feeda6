// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COORDINATOR_OPTIMIZER_STEP_SEQUENCE_H_
#define TESTS_UNIT_COORDINATOR_OPTIMIZER_STEP_SEQUENCE_H_

#include <vector>

#include "coordinator/optimizer/server_optimizer.h"

namespace entente::optimizer {

// Where one parameter stands after each of `updates`, starting at `start` with a state of zeros.
inline std::vector<double> StepSequence(const ServerOptimizer& optimizer, double start,
                                        const std::vector<double>& updates) {
  std::vector<double> state(optimizer.StateNames().size(), 0.0);
  std::vector<absl::Span<double>> spans;
  for (double& value : state) spans.push_back(absl::MakeSpan(&value, 1));
  std::vector<double> positions;
  double model = start;
  for (const double update : updates) {
    optimizer.Step(absl::MakeConstSpan(&update, 1), absl::MakeSpan(&model, 1), spans);
    positions.push_back(model);
  }
  return positions;
}

}  // namespace entente::optimizer

#endif  // TESTS_UNIT_COORDINATOR_OPTIMIZER_STEP_SEQUENCE_H_
