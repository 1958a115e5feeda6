// SPDX-License-Identifier: Apache-2.0
#include "coordinator/models/model_check.h"

#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/codec/tensor_values.h"

namespace entente::models {
namespace {

absl::Status Refuse(const TensorSpec& tensor, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("the model's ", TensorText(tensor.name), " ", why));
}

absl::Status CheckSpec(const TensorSpec& tensor) {
  if (tensor.dtype != Dtype::kF32) {
    return Refuse(tensor, absl::StrCat("is ", DtypeName(tensor.dtype),
                                       "; floating-point tensors must be F32: convert it"));
  }
  constexpr size_t kNameBytesMax = limits::kTensorNameBytesMax - limits::kOptimizerPrefixBytes;
  if (tensor.name.size() > kNameBytesMax) {
    return Refuse(tensor, absl::StrCat("has too long a name: ", tensor.name.size(),
                                       " bytes; at most ", kNameBytesMax, " are taken"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckModel(const SafetensorsReader& model) {
  if (!model.is_canonical()) {
    return absl::InvalidArgumentError(
        "the model is not in canonical form: its tensors must be sorted by name, without metadata "
        "and gaps, as Entente's own tools write it");
  }
  if (model.layout().FloatElementCount() == 0) {
    return absl::InvalidArgumentError("the model has no floating-point tensor to train");
  }
  for (size_t i = 0; i < model.layout().tensors().size(); ++i) {
    const TensorSpec& tensor = model.layout().tensors()[i];
    if (!IsFloatingPoint(tensor.dtype)) continue;
    ENTENTE_RETURN_IF_ERROR(CheckSpec(tensor));
    const auto check = [&tensor](uint64_t first, absl::Span<const float> values) {
      return CheckValues(tensor.name, first, values, std::numeric_limits<float>::max());
    };
    ENTENTE_RETURN_IF_ERROR(VisitValues(model, PlainTensor(model, i), check));
  }
  return absl::OkStatus();
}

}  // namespace entente::models
