// SPDX-License-Identifier: Apache-2.0
#include "coordinator/updates/update_validator.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/codec/simd_kernels.h"
#include "common/codec/tensor_values.h"
#include "common/tensor/safetensors.h"

namespace entente::updates {
namespace {

// How much more than the right header a wrong one may have and still be read for what is wrong.
constexpr uint64_t kHeaderSlackBytes = uint64_t{64} << 10;

absl::Status CheckForm(const SafetensorsReader& update, const Layout& expected) {
  ENTENTE_RETURN_IF_ERROR(CheckSameLayout(expected, update.layout()));
  if (!update.is_canonical()) {
    return absl::InvalidArgumentError(
        "the update is not in canonical form: its tensors must be sorted by name, without metadata "
        "and gaps");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ValidUpdate> ValidateUpdate(FileSystem& files, const std::string& path,
                                           const UpdateExpectation& expectation) {
  ENTENTE_CHECK(expectation.model != nullptr);
  const std::vector<UpdateForm> forms = AcceptedForms(*expectation.model, expectation.encoding);
  size_t header_bytes = 0;
  for (const UpdateForm& form : forms) header_bytes = std::max(header_bytes, form.header.size());
  const uint64_t header_bytes_max = 2 * header_bytes + kHeaderSlackBytes;
  const auto update = SafetensorsReader::Open(files, path, header_bytes_max);
  if (absl::IsInvalidArgument(update.status())) {
    // The reason travels to the worker, who has no use for the path on this machine.
    return absl::InvalidArgumentError(
        absl::StrReplaceAll(update.status().message(), {{path, "the update"}}));
  }
  if (!update.ok()) return update.status();
  // What is neither is judged as what the recipe asks for.
  const UpdateForm& form =
      (*update)->layout() == forms.back().layout ? forms.back() : forms.front();
  ENTENTE_RETURN_IF_ERROR(CheckForm(**update, form.layout));
  const Layout plain = expectation.model->UpdateLayout(Dtype::kF32);
  double sum_of_squares = 0;
  for (size_t i = 0; i < plain.tensors().size(); ++i) {
    const TensorSpec& tensor = plain.tensors()[i];
    const auto check = [&](uint64_t first, absl::Span<const float> values) {
      absl::Status status = CheckValues(tensor.name, first, values, expectation.value_bound);
      if (status.ok()) sum_of_squares += simd::SumOfSquares(values);
      return status;
    };
    ENTENTE_RETURN_IF_ERROR(VisitValues(
        **update, {.index = i, .elements = tensor.ElementCount(), .encoding = form.encoding},
        check));
  }
  return ValidUpdate{.norm = std::sqrt(sum_of_squares)};
}

}  // namespace entente::updates
