// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/preparation.h"

#include <ATen/Parallel.h>
#include <stdlib.h>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "trainer/models/builtin.h"
#include "trainer/models/torchscript.h"

namespace entente::trainer {
namespace {

// How many outputs the model has, found by predicting one example.
absl::StatusOr<int64_t> CountOutputs(const Examples& examples, const torch::Device& device,
                                     Model& model) {
  const torch::NoGradGuard no_gradients;
  model.SetTraining(false);
  std::vector<int64_t> shape = {1};
  shape.insert(shape.end(), examples.shape.begin(), examples.shape.end());
  const torch::Tensor outputs = model.Forward(torch::zeros(shape).to(device));
  if (outputs.dim() == 2 && outputs.size(0) == 1 && outputs.scalar_type() == torch::kFloat32) {
    return outputs.size(1);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the model answers a batch of 1 example with a ", c10::toString(outputs.scalar_type()),
      " tensor of ", outputs.dim(), " dimensions, expected float32 of shape [1, outputs]"));
}

}  // namespace

absl::StatusOr<torch::Device> PrepareDevice(DeviceChoice choice, int threads) {
  const bool has_cuda = torch::cuda::is_available();
  if (choice == DeviceChoice::kCuda && !has_cuda) {
    return absl::InvalidArgumentError(
        "device cuda is asked for, and LibTorch finds none; use cpu or auto, or install a CUDA "
        "LibTorch");
  }
  const bool use_cuda = has_cuda && choice != DeviceChoice::kCpu;
  // cuBLAS is deterministic only with this set before its first use (cuBLAS manual, 2.1.4).
  if (use_cuda) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setDeterministicCuDNN(true);
  // On CUDA some operations have no deterministic form; LibTorch then warns instead of refusing.
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/use_cuda);
  torch::set_num_threads(threads);
  if (at::get_num_interop_threads() != 1) at::set_num_interop_threads(1);  // Once a process only.
  return torch::Device(use_cuda ? torch::kCUDA : torch::kCPU);
}

absl::StatusOr<std::unique_ptr<Model>> MakeModel(const RecipeView& recipe,
                                                 const std::string& program) {
  if (recipe.builtin.has_value()) return MakeBuiltinModel(*recipe.builtin, recipe.training.seed);
  return LoadTorchScript(program);
}

absl::StatusOr<TensorExamples> LoadPart(FileSystem& files, const DatasetSource& source,
                                        DatasetPart part, const RecipeView& recipe,
                                        const torch::Device& device, Model& model) {
  ENTENTE_ASSIGN_OR_RETURN(Examples examples, ReadPart(files, source, part, recipe.task));
  if (recipe.builtin.has_value()) {
    ENTENTE_RETURN_IF_ERROR(FitShape(recipe.builtin->input_shape, source.directory, examples));
  }
  ENTENTE_ASSIGN_OR_RETURN(const int64_t outputs, CountOutputs(examples, device, model));
  ENTENTE_RETURN_IF_ERROR(CheckTargets(examples, outputs, source.directory));
  return ToTensors(examples, device);
}

}  // namespace entente::trainer
