// SPDX-License-Identifier: Apache-2.0
#include "sim/toy_model.h"

#include <cmath>
#include <cstring>

#include "common/base/check.h"
#include "common/base/random_source.h"
#include "common/tensor/safetensors.h"

namespace entente::sim {
namespace {

constexpr int kFractionBits = 40;  // Of the recipe's default value bound of 256.

// Uniform in [-1, 1), in steps that a float holds exactly.
float SmallNumber(uint64_t seed, uint64_t index) {
  return static_cast<float>(SplitMix64At(seed, index) >> 41) * 0x1p-22F - 1.0F;
}

}  // namespace

const Layout& ToyModel::TensorLayout() {
  static const auto* const layout = [] {
    auto made = Layout::Create({{.name = "layer.bias", .dtype = Dtype::kF32, .shape = {6}},
                                {.name = "layer.weight", .dtype = Dtype::kF32, .shape = {5, 6}}});
    ENTENTE_CHECK(made.ok());
    return new Layout(*std::move(made));
  }();
  return *layout;
}

ToyModel ToyModel::Initial(uint64_t seed) {
  ToyModel model;
  for (size_t i = 0; i < kValues; ++i) model.values_.push_back(SmallNumber(seed, i));
  return model;
}

ToyModel ToyModel::FromFile(const std::string& bytes) {
  ToyModel model;
  model.values_.resize(kValues);
  ENTENTE_CHECK(bytes.size() >= kValues * sizeof(float));
  std::memcpy(model.values_.data(), bytes.data() + bytes.size() - kValues * sizeof(float),
              kValues * sizeof(float));
  return model;
}

std::string ToyModel::FileBytes() const {
  static const auto* const header = new std::string(SafetensorsHeader(TensorLayout()));
  std::string bytes = *header;
  bytes.append(reinterpret_cast<const char*>(values_.data()), values_.size() * sizeof(float));
  return bytes;
}

ToyModel ToyModel::Train(uint64_t seed) const {
  ToyModel update;
  for (size_t i = 0; i < kValues; ++i) {
    update.values_.push_back(SmallNumber(seed, i) - 0.25F * values_[i]);
  }
  return update;
}

ToyModel ToyModel::After(const std::map<WorkerId, ToyModel>& updates,
                         const std::map<WorkerId, double>& weights) const {
  ToyModel next;
  for (size_t i = 0; i < kValues; ++i) {
    int64_t sum = 0;
    for (const auto& [worker, update] : updates) {
      const double share = std::ldexp(weights.at(worker), kFractionBits);
      sum += static_cast<int64_t>(std::nearbyint(share * static_cast<double>(update.values_[i])));
    }
    const double mean = std::ldexp(static_cast<double>(sum), -kFractionBits);
    next.values_.push_back(static_cast<float>(static_cast<double>(values_[i]) + mean));
  }
  return next;
}

}  // namespace entente::sim
