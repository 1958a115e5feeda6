// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/server_optimizer.h"

#include "common/base/check.h"
#include "coordinator/optimizer/adagrad.h"
#include "coordinator/optimizer/adam.h"
#include "coordinator/optimizer/momentum.h"
#include "coordinator/optimizer/nesterov.h"
#include "coordinator/optimizer/sgd.h"
#include "coordinator/optimizer/yogi.h"

namespace entente::optimizer {

std::unique_ptr<ServerOptimizer> MakeServerOptimizer(const ServerOptimizerSettings& settings) {
  const double learning_rate = settings.learning_rate;
  switch (settings.name) {
    case OptimizerName::kSgd:
      return std::make_unique<Sgd>(learning_rate);
    case OptimizerName::kMomentum:
      return std::make_unique<Momentum>(learning_rate, settings.momentum);
    case OptimizerName::kNesterov:
      return std::make_unique<Nesterov>(learning_rate, settings.momentum);
    case OptimizerName::kAdagrad:
      return std::make_unique<Adagrad>(learning_rate, settings.beta1, settings.tau);
    case OptimizerName::kAdam:
      return std::make_unique<Adam>(learning_rate, settings.beta1, settings.beta2, settings.tau);
    case OptimizerName::kYogi:
      return std::make_unique<Yogi>(learning_rate, settings.beta1, settings.beta2, settings.tau);
  }
  ENTENTE_CHECK(false && "an optimizer without a name");
}

}  // namespace entente::optimizer
