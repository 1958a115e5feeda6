// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/tensor_examples.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/tensor/safetensors.h"

namespace entente::trainer {
namespace {

absl::StatusOr<size_t> FindTensor(const SafetensorsReader& reader, absl::string_view name,
                                  Dtype dtype, const std::string& path) {
  const std::vector<TensorSpec>& tensors = reader.layout().tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].name != name) continue;
    if (tensors[i].dtype != dtype) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": tensor \"", name, "\" is ",
                                                     DtypeName(tensors[i].dtype), ", expected ",
                                                     DtypeName(dtype)));
    }
    if (tensors[i].shape.empty() || tensors[i].ElementCount() == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": tensor \"", name, "\" holds no examples"));
    }
    return i;
  }
  return absl::InvalidArgumentError(absl::StrCat(path, ": has no tensor \"", name, "\""));
}

template <typename Element>
absl::StatusOr<std::vector<Element>> ReadElements(const SafetensorsReader& reader, size_t index) {
  // The reader has compared the tensor's size with the file's.
  std::vector<Element> elements(reader.layout().tensors()[index].ElementCount());
  ENTENTE_RETURN_IF_ERROR(reader.ReadAt(
      index, 0,
      absl::MakeSpan(reinterpret_cast<char*>(elements.data()), elements.size() * sizeof(Element))));
  return elements;
}

absl::Status CheckFinite(const std::vector<float>& elements, absl::string_view name,
                         size_t row_size, const std::string& path) {
  for (size_t i = 0; i < elements.size(); ++i) {
    if (!std::isfinite(elements[i])) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": tensor \"", name, "\" holds ",
                                                     elements[i], " in example ", i / row_size));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Examples> ReadTensorExamples(FileSystem& files, const std::string& path,
                                            LearningTask task) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> reader,
                           SafetensorsReader::Open(files, path));
  const bool classify = task == LearningTask::kClassification;
  ENTENTE_ASSIGN_OR_RETURN(const size_t inputs, FindTensor(*reader, "inputs", Dtype::kF32, path));
  ENTENTE_ASSIGN_OR_RETURN(
      const size_t targets,
      FindTensor(*reader, "targets", classify ? Dtype::kI64 : Dtype::kF32, path));
  const TensorSpec& input_spec = reader->layout().tensors()[inputs];
  const TensorSpec& target_spec = reader->layout().tensors()[targets];
  const size_t rank_max = classify ? 1 : 2;
  if (target_spec.shape.size() > rank_max || target_spec.shape[0] != input_spec.shape[0]) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": tensor \"targets\" has shape ", ShapeText(target_spec.shape),
                     " beside inputs of shape ", ShapeText(input_spec.shape),
                     ", expected one target for each of the ", input_spec.shape[0], " inputs"));
  }
  Examples examples;
  examples.count = static_cast<int64_t>(input_spec.shape[0]);
  examples.shape.assign(input_spec.shape.begin() + 1, input_spec.shape.end());
  const size_t row_size = input_spec.ElementCount() / input_spec.shape[0];
  ENTENTE_ASSIGN_OR_RETURN(examples.inputs, ReadElements<float>(*reader, inputs));
  ENTENTE_RETURN_IF_ERROR(CheckFinite(examples.inputs, "inputs", row_size, path));
  if (classify) {
    ENTENTE_ASSIGN_OR_RETURN(examples.classes, ReadElements<int64_t>(*reader, targets));
  } else {
    examples.value_count = static_cast<int64_t>(target_spec.ElementCount() / target_spec.shape[0]);
    ENTENTE_ASSIGN_OR_RETURN(examples.values, ReadElements<float>(*reader, targets));
    ENTENTE_RETURN_IF_ERROR(
        CheckFinite(examples.values, "targets", static_cast<size_t>(examples.value_count), path));
  }
  return examples;
}

}  // namespace entente::trainer
