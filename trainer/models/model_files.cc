// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/model_files.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/tensor/safetensors.h"

namespace entente::trainer {
namespace {

struct DtypePair {
  torch::ScalarType torch;
  Dtype dtype;
};
constexpr DtypePair kDtypes[] = {
    {torch::kFloat64, Dtype::kF64}, {torch::kFloat32, Dtype::kF32},
    {torch::kFloat16, Dtype::kF16}, {torch::kBFloat16, Dtype::kBf16},
    {torch::kInt64, Dtype::kI64},   {torch::kInt32, Dtype::kI32},
    {torch::kInt16, Dtype::kI16},   {torch::kInt8, Dtype::kI8},
    {torch::kUInt8, Dtype::kU8},    {torch::kBool, Dtype::kBool},
};

absl::StatusOr<Dtype> DtypeOf(const StateTensor& state) {
  for (const DtypePair& pair : kDtypes) {
    if (pair.torch == state.tensor.scalar_type()) return pair.dtype;
  }
  return absl::InvalidArgumentError(absl::StrCat("tensor \"", state.name, "\" has type ",
                                                 c10::toString(state.tensor.scalar_type()),
                                                 ", which models cannot hold"));
}

// In a layout's order: by name, bytewise.
std::vector<StateTensor> Sorted(std::vector<StateTensor> state) {
  std::sort(state.begin(), state.end(),
            [](const StateTensor& a, const StateTensor& b) { return a.name < b.name; });
  return state;
}

absl::StatusOr<Layout> LayoutOfState(const std::vector<StateTensor>& state) {
  std::vector<TensorSpec> specs;
  for (const StateTensor& item : state) {
    ENTENTE_ASSIGN_OR_RETURN(const Dtype dtype, DtypeOf(item));
    TensorSpec spec{.name = item.name, .dtype = dtype, .shape = {}};
    for (const int64_t side : item.tensor.sizes())
      spec.shape.push_back(static_cast<uint64_t>(side));
    specs.push_back(std::move(spec));
  }
  return Layout::Create(std::move(specs));
}

bool IsFinite(const torch::Tensor& tensor) {
  return !tensor.is_floating_point() || torch::isfinite(tensor).all().item<bool>();
}

// On the CPU and without gaps, so that its bytes are the file's.
torch::Tensor Packed(const torch::Tensor& tensor) {
  return tensor.detach().to(torch::kCPU).contiguous();
}

absl::Status WriteTensors(FileSystem& files, const std::string& path,
                          const std::vector<StateTensor>& state) {
  ENTENTE_ASSIGN_OR_RETURN(Layout layout, LayoutOfState(state));
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsWriter> writer,
                           SafetensorsWriter::Create(files, path, std::move(layout)));
  for (size_t i = 0; i < state.size(); ++i) {
    const torch::Tensor packed = Packed(state[i].tensor);
    ENTENTE_RETURN_IF_ERROR(writer->WriteAt(
        i, 0, absl::string_view(static_cast<const char*>(packed.data_ptr()), packed.nbytes())));
  }
  return writer->Finish();
}

absl::Status WriteSafely(FileSystem& files, const std::string& path,
                         const std::vector<StateTensor>& state) {
  const std::string temporary = path + ".tmp";
  ENTENTE_RETURN_IF_ERROR(files.Remove(temporary));
  absl::Status status = WriteTensors(files, temporary, state);
  if (status.ok()) status = files.Rename(temporary, path);
  if (!status.ok()) files.Remove(temporary).IgnoreError();  // The first error is the one to tell.
  return status;
}

absl::StatusOr<torch::Tensor> ReadTensor(const SafetensorsReader& reader, size_t index,
                                         const StateTensor& state, const std::string& path) {
  torch::Tensor loaded =
      torch::empty(state.tensor.sizes(), torch::TensorOptions().dtype(state.tensor.scalar_type()));
  ENTENTE_RETURN_IF_ERROR(reader.ReadAt(
      index, 0, absl::MakeSpan(static_cast<char*>(loaded.data_ptr()), loaded.nbytes())));
  if (!IsFinite(loaded)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": tensor \"", state.name, "\" holds a value that is not finite"));
  }
  return loaded;
}

}  // namespace

absl::StatusOr<Layout> LayoutOf(const Model& model) { return LayoutOfState(Sorted(model.State())); }

absl::Status ReadModel(FileSystem& files, const std::string& path, Model& model) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> reader,
                           SafetensorsReader::Open(files, path));
  const std::vector<StateTensor> state = Sorted(model.State());
  ENTENTE_ASSIGN_OR_RETURN(const Layout layout, LayoutOfState(state));
  if (const absl::Status status = CheckSameLayout(layout, reader->layout()); !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": does not fit the model: ", status.message()));
  }
  std::vector<torch::Tensor> loaded;
  for (size_t i = 0; i < state.size(); ++i) {
    ENTENTE_ASSIGN_OR_RETURN(torch::Tensor tensor, ReadTensor(*reader, i, state[i], path));
    loaded.push_back(std::move(tensor));
  }
  const torch::NoGradGuard no_gradients;
  for (size_t i = 0; i < state.size(); ++i) torch::Tensor(state[i].tensor).copy_(loaded[i]);
  return absl::OkStatus();
}

absl::Status WriteModel(FileSystem& files, const std::string& path, const Model& model) {
  return WriteSafely(files, path, Sorted(model.State()));
}

absl::Status WriteTensorFile(FileSystem& files, const std::string& path,
                             std::vector<StateTensor> tensors) {
  return WriteSafely(files, path, Sorted(std::move(tensors)));
}

absl::StatusOr<std::vector<StateTensor>> ReadTensorFile(FileSystem& files,
                                                        const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> reader,
                           SafetensorsReader::Open(files, path));
  std::vector<StateTensor> tensors;
  for (size_t i = 0; i < reader->layout().tensors().size(); ++i) {
    const TensorSpec& spec = reader->layout().tensors()[i];
    const auto* const pair =
        std::find_if(std::begin(kDtypes), std::end(kDtypes),
                     [&spec](const DtypePair& candidate) { return candidate.dtype == spec.dtype; });
    ENTENTE_CHECK(pair != std::end(kDtypes));
    const std::vector<int64_t> sides(spec.shape.begin(), spec.shape.end());
    torch::Tensor tensor = torch::empty(sides, torch::TensorOptions().dtype(pair->torch));
    ENTENTE_RETURN_IF_ERROR(reader->ReadAt(
        i, 0, absl::MakeSpan(static_cast<char*>(tensor.data_ptr()), tensor.nbytes())));
    tensors.push_back({.name = spec.name, .tensor = std::move(tensor), .is_parameter = false});
  }
  return tensors;
}

std::vector<StateTensor> CopyFloatState(const Model& model) {
  std::vector<StateTensor> copies;
  for (const StateTensor& state : Sorted(model.State())) {
    if (!state.tensor.is_floating_point()) continue;
    copies.push_back({.name = state.name,
                      .tensor = state.tensor.detach().clone(),
                      .is_parameter = state.is_parameter});
  }
  return copies;
}

absl::Status WriteUpdate(FileSystem& files, const std::string& path,
                         const std::vector<StateTensor>& base, const Model& model) {
  const torch::NoGradGuard no_gradients;
  std::vector<StateTensor> update;
  for (const StateTensor& state : Sorted(model.State())) {
    if (!state.tensor.is_floating_point()) continue;
    const size_t i = update.size();
    ENTENTE_CHECK(i < base.size() && base[i].name == state.name);
    update.push_back({.name = state.name,
                      .tensor = (state.tensor - base[i].tensor).to(torch::kFloat32),
                      .is_parameter = state.is_parameter});
    if (!IsFinite(update.back().tensor)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "tensor \"", state.name, "\" became not finite in training; lower the learning rate"));
    }
  }
  return WriteSafely(files, path, update);
}

}  // namespace entente::trainer
