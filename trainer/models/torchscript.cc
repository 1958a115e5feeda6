// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/torchscript.h"

#include <torch/csrc/jit/runtime/print_handler.h>
#include <torch/script.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"

namespace entente::trainer {
namespace {

class TorchScriptModel final : public Model {
 public:
  explicit TorchScriptModel(torch::jit::Module program) : program_(std::move(program)) {}

  torch::Tensor Forward(const torch::Tensor& inputs) override {
    return program_.forward({inputs}).toTensor();
  }

  void SetTraining(bool training) override { program_.train(training); }
  void MoveTo(const torch::Device& device) override { program_.to(device); }

  std::vector<StateTensor> State() const override {
    std::vector<StateTensor> state;
    for (const auto& item : program_.named_parameters()) {
      state.push_back({.name = item.name, .tensor = item.value, .is_parameter = true});
    }
    for (const auto& item : program_.named_buffers()) {
      state.push_back({.name = item.name, .tensor = item.value, .is_parameter = false});
    }
    return state;
  }

 private:
  torch::jit::Module program_;
};

absl::Status CheckParameters(const Model& model, const std::string& path) {
  bool is_trainable = false;
  for (const StateTensor& state : model.State()) {
    if (!state.is_parameter) continue;
    is_trainable = is_trainable || state.tensor.requires_grad();
    if (state.tensor.scalar_type() != torch::kFloat32) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ": parameter \"", state.name, "\" is ", c10::toString(state.tensor.scalar_type()),
          ", and only float32 can be trained; convert the model before saving it"));
    }
  }
  if (is_trainable) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      path,
      ": the TorchScript program has no parameters to train; save it without freezing it, and with "
      "requires_grad"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> LoadTorchScript(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return absl::NotFoundError(absl::StrCat("the model file ", path, " does not exist"));
  }
  torch::jit::setPrintHandler([](const std::string& text) {
    log::Info("the model printed", {{"text", text}});
  });
  torch::jit::Module program;
  try {
    program = torch::jit::load(path, torch::kCPU);
  } catch (
      const std::exception&) {  // What LibTorch says here names its own sources, not the fault.
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": is not a TorchScript program; save one with torch.jit.script(model).save()"));
  }
  auto model = std::make_unique<TorchScriptModel>(std::move(program));
  if (absl::Status status = CheckParameters(*model, path); !status.ok()) return status;
  return std::unique_ptr<Model>(std::move(model));
}

}  // namespace entente::trainer
