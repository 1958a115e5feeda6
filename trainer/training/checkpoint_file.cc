// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/checkpoint_file.h"

#include <ATen/Context.h>

#include <cstring>
#include <map>
#include <mutex>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "trainer/models/model_files.h"
#include "trainer/models/torch_seam.h"

namespace entente::trainer {
namespace {

using TensorsByName = std::map<std::string, torch::Tensor>;

torch::Tensor BytesTensor(const std::string& bytes) {
  torch::Tensor tensor = torch::empty({static_cast<int64_t>(bytes.size())}, torch::kUInt8);
  std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

std::string BytesOf(const torch::Tensor& tensor) {
  return std::string(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
}

torch::Device DeviceOf(const Model& model) {
  const std::vector<StateTensor> state = model.State();
  return state.empty() ? torch::Device(torch::kCPU) : state.front().tensor.device();
}

torch::Tensor RandomState(const torch::Device& device) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state();
}

void SetRandomState(const torch::Device& device, const torch::Tensor& state) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
}

std::string OptimizerBytes(const torch::optim::Optimizer& optimizer) {
  torch::serialize::OutputArchive archive;
  optimizer.save(archive);
  std::ostringstream bytes;
  archive.save_to(bytes);
  return bytes.str();
}

void LoadOptimizer(const std::string& bytes, const torch::Device& device,
                   torch::optim::Optimizer& optimizer) {
  std::istringstream stream(bytes);
  torch::serialize::InputArchive archive;
  archive.load_from(stream, device);
  optimizer.load(archive);
}

absl::StatusOr<torch::Tensor> Member(const TensorsByName& tensors, const std::string& name,
                                     torch::ScalarType type) {
  const auto found = tensors.find(name);
  if (found == tensors.end() || found->second.scalar_type() != type) {
    return absl::InvalidArgumentError(absl::StrCat("a checkpoint without \"", name, "\""));
  }
  return found->second;
}

absl::StatusOr<TrainingPosition> PositionIn(const TensorsByName& tensors) {
  ENTENTE_ASSIGN_OR_RETURN(const torch::Tensor counts, Member(tensors, "counts", torch::kInt64));
  ENTENTE_ASSIGN_OR_RETURN(const torch::Tensor loss, Member(tensors, "loss_sum", torch::kFloat64));
  if (counts.numel() != 5 || loss.numel() != 1) {
    return absl::InvalidArgumentError("a checkpoint with other counts");
  }
  const auto* const count = static_cast<const int64_t*>(counts.data_ptr());
  TrainingPosition position{.seed = static_cast<uint64_t>(count[0]),
                            .step_count = count[1],
                            .examples = count[2],
                            .step = count[3],
                            .examples_seen = count[4],
                            .loss_sum = *static_cast<const double*>(loss.data_ptr())};
  if (position.step < 0 || position.step > position.step_count || position.examples_seen < 0) {
    return absl::InvalidArgumentError("a checkpoint of a step that there is not");
  }
  return position;
}

// What the file has for each of the model's tensors, in their order.
absl::StatusOr<std::vector<torch::Tensor>> StateIn(const TensorsByName& tensors,
                                                   const std::vector<StateTensor>& state) {
  std::vector<torch::Tensor> loaded;
  for (const StateTensor& item : state) {
    ENTENTE_ASSIGN_OR_RETURN(
        torch::Tensor tensor,
        Member(tensors, absl::StrCat("model/", item.name), item.tensor.scalar_type()));
    if (tensor.sizes() != item.tensor.sizes()) {
      return absl::InvalidArgumentError("a checkpoint of another model");
    }
    loaded.push_back(std::move(tensor));
  }
  return loaded;
}

absl::StatusOr<TrainingPosition> RestoreFrom(const TensorsByName& tensors,
                                             const TrainingPosition& training, Model& model,
                                             torch::optim::Optimizer& optimizer) {
  ENTENTE_ASSIGN_OR_RETURN(const TrainingPosition position, PositionIn(tensors));
  if (position.seed != training.seed || position.step_count != training.step_count ||
      position.examples != training.examples) {
    return absl::FailedPreconditionError("the checkpoint is of another training");
  }
  const torch::Device device = DeviceOf(model);
  ENTENTE_ASSIGN_OR_RETURN(const torch::Tensor random_cpu,
                           Member(tensors, "random/cpu", torch::kUInt8));
  torch::Tensor random_cuda;
  if (device.is_cuda()) {
    ENTENTE_ASSIGN_OR_RETURN(random_cuda, Member(tensors, "random/cuda", torch::kUInt8));
  }
  ENTENTE_ASSIGN_OR_RETURN(const torch::Tensor optimizer_bytes,
                           Member(tensors, "optimizer", torch::kUInt8));
  const std::vector<StateTensor> state = model.State();
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<torch::Tensor> loaded, StateIn(tensors, state));
  // What may throw comes before what changes the model.
  LoadOptimizer(BytesOf(optimizer_bytes), device, optimizer);
  SetRandomState(torch::kCPU, random_cpu);
  if (device.is_cuda()) SetRandomState(device, random_cuda);
  const torch::NoGradGuard no_gradients;
  for (size_t i = 0; i < state.size(); ++i) torch::Tensor(state[i].tensor).copy_(loaded[i]);
  return position;
}

}  // namespace

absl::Status CheckpointFile::Write(const TrainingPosition& position, const Model& model,
                                   const torch::optim::Optimizer& optimizer) {
  return WithoutExceptions([&]() -> absl::Status {
    std::vector<StateTensor> tensors;
    const auto add = [&tensors](std::string name, torch::Tensor tensor) {
      tensors.push_back(
          {.name = std::move(name), .tensor = std::move(tensor), .is_parameter = false});
    };
    for (const StateTensor& item : model.State()) {
      add(absl::StrCat("model/", item.name), item.tensor);
    }
    add("optimizer", BytesTensor(OptimizerBytes(optimizer)));
    add("random/cpu", RandomState(torch::kCPU));
    const torch::Device device = DeviceOf(model);
    if (device.is_cuda()) add("random/cuda", RandomState(device));
    add("counts", torch::tensor({static_cast<int64_t>(position.seed), position.step_count,
                                 position.examples, position.step, position.examples_seen},
                                torch::kInt64));
    add("loss_sum", torch::tensor({position.loss_sum}, torch::kFloat64));
    return WriteTensorFile(files_, path_, std::move(tensors));
  });
}

absl::StatusOr<TrainingPosition> CheckpointFile::Restore(const TrainingPosition& training,
                                                         Model& model,
                                                         torch::optim::Optimizer& optimizer) {
  return WithoutExceptions([&]() -> absl::StatusOr<TrainingPosition> {
    ENTENTE_ASSIGN_OR_RETURN(std::vector<StateTensor> read, ReadTensorFile(files_, path_));
    TensorsByName tensors;
    for (StateTensor& item : read) tensors[item.name] = std::move(item.tensor);
    return RestoreFrom(tensors, training, model, optimizer);
  });
}

}  // namespace entente::trainer
