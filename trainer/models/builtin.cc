// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/builtin.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"

namespace entente::trainer {
namespace {

constexpr int64_t kConvolutionSide = 3;
// Under this many weights the plain matrix product is as fast.
constexpr int64_t kLargeLinearWeights = 16384;

// A linear layer as a 1x1 convolution. Distributions link LibTorch to the reference BLAS, whose
// matrix product is ten times slower than oneDNN's convolution, which is always there.
torch::Tensor ApplyLinear(torch::nn::LinearImpl& layer, const torch::Tensor& input) {
  const torch::Tensor& weight = layer.weight;
  if (!input.device().is_cpu() || weight.numel() < kLargeLinearWeights) return layer.forward(input);
  return torch::conv2d(input.reshape({input.size(0), input.size(1), 1, 1}),
                       weight.reshape({weight.size(0), weight.size(1), 1, 1}), layer.bias)
      .flatten(1);
}

// The same images with the channels of a pixel side by side: a third faster to convolve and to pool
// on the CPU, and the same on CUDA.
torch::Tensor ChannelsLast(const torch::Tensor& images) {
  // With one channel both orders are the same bytes, and LibTorch would take the strides it finds.
  if (images.size(1) == 1) {
    const int64_t height = images.size(2);
    const int64_t width = images.size(3);
    return images.contiguous().as_strided(images.sizes(), {height * width, 1, width, 1});
  }
  return images.contiguous(torch::MemoryFormat::ChannelsLast);
}

class BuiltinModel final : public Model {
 public:
  explicit BuiltinModel(const BuiltinView& view) {
    int64_t features = 1;
    for (const int64_t side : view.input_shape) features *= side;
    if (view.architecture == Architecture::kCnn) features = AddConvolutions(view);
    for (const int64_t units : view.hidden) {
      hidden_->push_back(torch::nn::Linear(features, units));
      features = units;
    }
    root_.register_module("convolutions", convolutions_);
    root_.register_module("hidden", hidden_);
    output_ = root_.register_module("output", torch::nn::Linear(features, view.outputs));
  }

  torch::Tensor Forward(const torch::Tensor& inputs) override {
    torch::Tensor x = convolutions_->is_empty() ? inputs : ChannelsLast(inputs);
    for (const auto& layer : *convolutions_) {
      // ReLU commutes with the maximum, and has a quarter of the work after it.
      x = torch::relu(torch::max_pool2d(layer->as<torch::nn::Conv2d>()->forward(x), 2));
    }
    x = x.flatten(1);
    for (const auto& layer : *hidden_) {
      x = torch::relu(ApplyLinear(*layer->as<torch::nn::Linear>(), x));
    }
    return ApplyLinear(*output_, x);
  }

  void SetTraining(bool training) override { root_.train(training); }
  void MoveTo(const torch::Device& device) override { root_.to(device); }

  std::vector<StateTensor> State() const override {
    std::vector<StateTensor> state;
    for (const auto& item : root_.named_parameters()) {
      state.push_back({.name = item.key(), .tensor = *item, .is_parameter = true});
    }
    return state;
  }

 private:
  // Returns how many features the last one leaves.
  int64_t AddConvolutions(const BuiltinView& view) {
    int64_t channels = view.input_shape[0];
    int64_t height = view.input_shape[1];
    int64_t width = view.input_shape[2];
    for (const int64_t next : view.channels) {
      convolutions_->push_back(
          torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, next, kConvolutionSide).padding(1)));
      channels = next;
      height /= 2;
      width /= 2;
    }
    return channels * height * width;
  }

  torch::nn::Module root_;
  torch::nn::ModuleList convolutions_;
  torch::nn::ModuleList hidden_;
  torch::nn::Linear output_{nullptr};
};

// In double, for the product of two sides may pass 64 bits.
double ParameterCount(const BuiltinView& view) {
  double features = 1;
  for (const int64_t side : view.input_shape) features *= static_cast<double>(side);
  double count = 0;
  if (view.architecture == Architecture::kCnn) {
    auto channels = static_cast<double>(view.input_shape[0]);
    int64_t height = view.input_shape[1];
    int64_t width = view.input_shape[2];
    for (const int64_t next : view.channels) {
      count += channels * static_cast<double>(next * kConvolutionSide * kConvolutionSide);
      channels = static_cast<double>(next);
      height /= 2;
      width /= 2;
    }
    features = channels * static_cast<double>(height * width);
  }
  for (const int64_t units : view.hidden) {
    count += features * static_cast<double>(units);
    features = static_cast<double>(units);
  }
  return count + features * static_cast<double>(view.outputs);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeBuiltinModel(const BuiltinView& view, uint64_t seed) {
  const double parameters = ParameterCount(view);
  if (parameters > limits::kModelParametersMax) {
    return absl::InvalidArgumentError(absl::StrCat("the recipe's model would have ", parameters,
                                                   " parameters, at most 2^34 are possible"));
  }
  torch::manual_seed(seed);
  return std::unique_ptr<Model>(std::make_unique<BuiltinModel>(view));
}

}  // namespace entente::trainer
