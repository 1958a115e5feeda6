// SPDX-License-Identifier: Apache-2.0
#include "coordinator/updates/update_validator.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
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

absl::Status ValidateUpdate(FileSystem& files, const std::string& path,
                            const UpdateExpectation& expectation) {
  ENTENTE_CHECK(expectation.model != nullptr);
  const Layout expected = expectation.model->UpdateLayout(EncodedDtype(expectation.encoding));
  const uint64_t header_bytes_max = 2 * SafetensorsHeader(expected).size() + kHeaderSlackBytes;
  const auto update = SafetensorsReader::Open(files, path, header_bytes_max);
  if (absl::IsInvalidArgument(update.status())) {
    // The reason travels to the worker, who has no use for the path on this machine.
    return absl::InvalidArgumentError(
        absl::StrReplaceAll(update.status().message(), {{path, "the update"}}));
  }
  if (!update.ok()) return update.status();
  ENTENTE_RETURN_IF_ERROR(CheckForm(**update, expected));
  for (size_t i = 0; i < expected.tensors().size(); ++i) {
    const auto check = [&](uint64_t first, absl::Span<const float> values) {
      return CheckValues(expected.tensors()[i].name, first, values, expectation.value_bound);
    };
    ENTENTE_RETURN_IF_ERROR(VisitValues(**update, i, expectation.encoding, check));
  }
  return absl::OkStatus();
}

uint64_t UpdateBytes(const Layout& model, UpdateEncoding encoding) {
  return SafetensorsFileBytes(model.UpdateLayout(EncodedDtype(encoding)));
}

}  // namespace entente::updates
