// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/trainer/scripted_model.h"

#include <torch/script.h>
#include <torch/torch.h>

namespace entente::trainer {
namespace {

torch::Tensor Ramp(torch::ScalarType dtype) {
  return torch::arange(48, torch::TensorOptions().dtype(dtype)).reshape({3, 16}) / 100.0;
}

}  // namespace

std::string WriteScriptedModel(const std::string& path, ScriptedKind kind) {
  torch::jit::Module program("Sample");
  switch (kind) {
    case ScriptedKind::kLinear:
      program.register_parameter("weight", Ramp(torch::kFloat32).requires_grad_(), false);
      program.register_parameter("bias", torch::zeros(3).requires_grad_(), false);
      program.register_buffer("scale", torch::ones(1));
      program.register_buffer("calls", torch::zeros(1, torch::kInt64));
      program.register_attribute("training", c10::BoolType::get(), true);
      program.define(R"(
def forward(self, x):
    print("forward")
    if self.training:
        self.calls.add_(1)
        self.scale.mul_(0.99)
    return torch.matmul(x.flatten(1), self.weight.t()) * self.scale + self.bias
)");
      break;
    case ScriptedKind::kNoParameters:
      program.define("def forward(self, x):\n    return x.flatten(1)\n");
      break;
    case ScriptedKind::kFrozen:
      program.register_parameter("weight", Ramp(torch::kFloat32), false);
      program.define(
          "def forward(self, x):\n    return torch.matmul(x.flatten(1), self.weight.t())\n");
      break;
    case ScriptedKind::kDouble:
      program.register_parameter("weight", Ramp(torch::kFloat64), false);
      program.define(
          "def forward(self, x):\n    return torch.matmul(x.flatten(1), "
          "self.weight.float().t())\n");
      break;
    case ScriptedKind::kFlatOutput:
      program.register_parameter("weight", Ramp(torch::kFloat32).requires_grad_(), false);
      program.define(
          "def forward(self, x):\n    return torch.matmul(x.flatten(1), self.weight.t()).sum(1)\n");
      break;
    case ScriptedKind::kTied: {
      const torch::Tensor weight = Ramp(torch::kFloat32).requires_grad_();
      program.register_parameter("weight", weight, false);
      program.register_parameter("tied", weight, false);
      program.define(
          "def forward(self, x):\n    return torch.matmul(x.flatten(1), (self.weight + "
          "self.tied).t())\n");
      break;
    }
  }
  program.save(path);
  return path;
}

}  // namespace entente::trainer
