// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/builtin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "common/tensor/layout.h"
#include "tests/support/status_matchers.h"
#include "trainer/models/model_files.h"

namespace entente::trainer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

BuiltinView Cnn() {
  return {.architecture = Architecture::kCnn,
          .input_shape = {1, 28, 28},
          .outputs = 10,
          .channels = {4, 8},
          .hidden = {64}};
}

std::vector<std::string> Names(const Model& model) {
  const absl::StatusOr<Layout> layout = LayoutOf(model);
  std::vector<std::string> names;
  for (const TensorSpec& spec : layout->tensors()) {
    names.push_back(spec.name + " " + ShapeText(spec.shape));
  }
  return names;
}

TEST(BuiltinModelTest, ACnnHasItsTensorsAndOutputs) {
  ASSERT_OK_AND_ASSIGN(const auto model, MakeBuiltinModel(Cnn(), 1));

  EXPECT_THAT(Names(*model),
              ElementsAre("convolutions.0.bias [4]", "convolutions.0.weight [4,1,3,3]",
                          "convolutions.1.bias [8]", "convolutions.1.weight [8,4,3,3]",
                          "hidden.0.bias [64]", "hidden.0.weight [64,392]", "output.bias [10]",
                          "output.weight [10,64]"));
  EXPECT_EQ(model->Forward(torch::zeros({5, 1, 28, 28})).sizes(), torch::IntArrayRef({5, 10}));
}

TEST(BuiltinModelTest, AnMlpFlattensItsInput) {
  const BuiltinView mlp = {.architecture = Architecture::kMlp,
                           .input_shape = {1, 4, 4},
                           .outputs = 3,
                           .channels = {},
                           .hidden = {8, 5}};

  ASSERT_OK_AND_ASSIGN(const auto model, MakeBuiltinModel(mlp, 1));

  EXPECT_THAT(Names(*model),
              ElementsAre("hidden.0.bias [8]", "hidden.0.weight [8,16]", "hidden.1.bias [5]",
                          "hidden.1.weight [5,8]", "output.bias [3]", "output.weight [3,5]"));
  EXPECT_EQ(model->Forward(torch::zeros({2, 1, 4, 4})).sizes(), torch::IntArrayRef({2, 3}));
}

TEST(BuiltinModelTest, TheSeedDecidesTheWeights) {
  const auto first_weight = [](uint64_t seed) {
    return (*MakeBuiltinModel(Cnn(), seed))->State()[0].tensor.clone();
  };

  EXPECT_TRUE(torch::equal(first_weight(1), first_weight(1)));
  EXPECT_FALSE(torch::equal(first_weight(1), first_weight(2)));
}

TEST(BuiltinModelTest, ALargeLinearLayerIsTheMatrixProduct) {
  // 392 x 64 is past the size from which it is computed as a convolution.
  ASSERT_OK_AND_ASSIGN(const auto model, MakeBuiltinModel(Cnn(), 1));
  const torch::NoGradGuard no_gradients;
  const torch::Tensor input = torch::randn({3, 1, 28, 28});
  std::map<std::string, torch::Tensor> state;
  for (const StateTensor& item : model->State()) state[item.name] = item.tensor;

  torch::Tensor x = input;
  for (const std::string layer : {"convolutions.0", "convolutions.1"}) {
    x = torch::conv2d(x, state[layer + ".weight"], state[layer + ".bias"], 1, 1);
    x = torch::max_pool2d(torch::relu(x), 2);
  }
  x = torch::relu(torch::linear(x.flatten(1), state["hidden.0.weight"], state["hidden.0.bias"]));
  x = torch::linear(x, state["output.weight"], state["output.bias"]);

  EXPECT_TRUE(torch::allclose(model->Forward(input), x, 1e-4, 1e-5));
}

TEST(BuiltinModelTest, TooManyParametersAreRefused) {
  BuiltinView view = Cnn();
  view.hidden = {65536, 65536, 65536, 65536, 65536, 65536};

  EXPECT_THAT(MakeBuiltinModel(view, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 2^34")));
}

}  // namespace
}  // namespace entente::trainer
