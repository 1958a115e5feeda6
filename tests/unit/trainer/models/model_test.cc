// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/model.h"

#include <gtest/gtest.h>

namespace entente::trainer {
namespace {

class FixedModel final : public Model {
 public:
  explicit FixedModel(std::vector<StateTensor> state) : state_(std::move(state)) {}
  torch::Tensor Forward(const torch::Tensor& inputs) override { return inputs; }
  void SetTraining(bool) override {}
  void MoveTo(const torch::Device&) override {}
  std::vector<StateTensor> State() const override { return state_; }

 private:
  const std::vector<StateTensor> state_;
};

TEST(ModelTest, AParameterUsedTwiceIsTrainedOnce) {
  const torch::Tensor shared = torch::ones(3);
  const FixedModel model({{.name = "a", .tensor = shared, .is_parameter = true},
                          {.name = "b", .tensor = shared, .is_parameter = true},
                          {.name = "c", .tensor = torch::ones(3), .is_parameter = true},
                          {.name = "buffer", .tensor = torch::ones(3), .is_parameter = false}});

  EXPECT_EQ(ParametersOf(model).size(), 2U);
}

}  // namespace
}  // namespace entente::trainer
