// SPDX-License-Identifier: Apache-2.0
#include "common/codec/tensor_values.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/codec/simd_kernels.h"
#include "common/codec/value_codec.h"

namespace entente {
namespace {

constexpr uint64_t kPieceValues = uint64_t{256} << 10;

}  // namespace

EncodedTensor PlainTensor(const SafetensorsReader& file, size_t index) {
  return {.index = index,
          .elements = file.layout().tensors()[index].ElementCount(),
          .encoding = UpdateEncoding::kFp32};
}

absl::Status VisitValues(
    const SafetensorsReader& file, const EncodedTensor& tensor,
    absl::FunctionRef<absl::Status(uint64_t first, absl::Span<const float> values)> visit) {
  const TensorSpec& spec = file.layout().tensors()[tensor.index];
  ENTENTE_CHECK(spec.dtype == EncodedDtype(tensor.encoding));
  ENTENTE_CHECK(spec.Bytes() == EncodedBytes(tensor.encoding, tensor.elements));
  const bool is_plain = tensor.encoding.kind == EncodingKind::kFp32;
  const size_t piece_values = std::min(kPieceValues, tensor.elements);
  std::vector<float> values(piece_values);
  std::vector<char> bytes(is_plain ? 0 : EncodedBytes(tensor.encoding, piece_values));
  for (uint64_t first = 0; first < tensor.elements; first += piece_values) {
    const size_t size = std::min<uint64_t>(piece_values, tensor.elements - first);
    const uint64_t offset = EncodedBytes(tensor.encoding, first);
    const auto decoded = absl::MakeSpan(values).first(size);
    if (is_plain) {  // The bytes are the floats.
      ENTENTE_RETURN_IF_ERROR(file.ReadAt(
          tensor.index, offset,
          absl::MakeSpan(reinterpret_cast<char*>(decoded.data()), size * sizeof(float))));
      ENTENTE_RETURN_IF_ERROR(visit(first, decoded));
      continue;
    }
    const auto piece = absl::MakeSpan(bytes).first(EncodedBytes(tensor.encoding, size));
    ENTENTE_RETURN_IF_ERROR(file.ReadAt(tensor.index, offset, piece));
    if (absl::Status status = DecodeValues(tensor.encoding, first, piece, decoded); !status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(TensorText(spec.name), ": ", status.message()));
    }
    ENTENTE_RETURN_IF_ERROR(visit(first, decoded));
  }
  return absl::OkStatus();
}

absl::Status CheckValues(absl::string_view tensor, uint64_t first, absl::Span<const float> values,
                         double bound) {
  const float limit = FloatBound(bound);
  if (simd::AllWithin(values, limit)) return absl::OkStatus();
  const auto is_within = [limit](float value) { return std::fabs(value) <= limit; };
  const auto bad = std::find_if_not(values.begin(), values.end(), is_within);
  return absl::InvalidArgumentError(absl::StrCat(
      TensorText(tensor), " holds ", *bad, " at index ",
      first + static_cast<uint64_t>(bad - values.begin()),
      std::isfinite(*bad) ? absl::StrCat("; values beyond ", bound, " are refused") : ""));
}

float FloatBound(double bound) {
  const double largest = std::min(bound, double{std::numeric_limits<float>::max()});
  const auto rounded = static_cast<float>(largest);
  return double{rounded} > largest ? std::nextafter(rounded, 0.0F) : rounded;
}

}  // namespace entente
