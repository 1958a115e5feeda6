// SPDX-License-Identifier: Apache-2.0
#include "common/codec/tensor_values.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"

namespace entente {
namespace {

constexpr uint64_t kPieceValues = uint64_t{256} << 10;

}  // namespace

absl::Status VisitValues(
    const SafetensorsReader& file, size_t index, UpdateEncoding encoding,
    absl::FunctionRef<absl::Status(uint64_t first, absl::Span<const float> values)> visit) {
  const TensorSpec& tensor = file.layout().tensors()[index];
  ENTENTE_CHECK(tensor.dtype == EncodedDtype(encoding));
  const uint64_t value_bytes = DtypeBytes(tensor.dtype);
  const uint64_t count = tensor.ElementCount();
  const size_t piece_values = std::min(kPieceValues, count);
  std::vector<char> bytes(piece_values * value_bytes);
  std::vector<float> values(piece_values);
  for (uint64_t first = 0; first < count; first += piece_values) {
    const size_t size = std::min<uint64_t>(piece_values, count - first);
    const auto piece = absl::MakeSpan(bytes).first(size * value_bytes);
    ENTENTE_RETURN_IF_ERROR(file.ReadAt(index, first * value_bytes, piece));
    DecodeValues(encoding, piece, absl::MakeSpan(values).first(size));
    ENTENTE_RETURN_IF_ERROR(visit(first, absl::MakeConstSpan(values).first(size)));
  }
  return absl::OkStatus();
}

absl::Status CheckValues(absl::string_view tensor, uint64_t first, absl::Span<const float> values,
                         double bound) {
  // A NaN compares false with everything, so it is not within.
  const auto is_within = [bound](float value) { return std::fabs(double{value}) <= bound; };
  bool all_within = true;
  for (const float value : values) all_within &= is_within(value);  // No branch: it vectorizes.
  if (all_within) return absl::OkStatus();
  const auto bad = std::find_if_not(values.begin(), values.end(), is_within);
  return absl::InvalidArgumentError(absl::StrCat(
      TensorText(tensor), " holds ", *bad, " at index ",
      first + static_cast<uint64_t>(bad - values.begin()),
      std::isfinite(*bad) ? absl::StrCat("; values beyond ", bound, " are refused") : ""));
}

}  // namespace entente
