// SPDX-License-Identifier: Apache-2.0
#include "common/codec/update_codec.h"

#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/codec/tensor_values.h"
#include "common/tensor/safetensors.h"

namespace entente {
namespace {

static_assert(std::endian::native == std::endian::little, "Tensor bytes are used as they lie.");

// The largest magnitude that does not become infinite. bf16's largest number is 0x1.fep127; half a
// step above it is a tie, which goes to even, and that is infinity.
double EncodableMax(UpdateEncoding encoding) {
  return encoding == UpdateEncoding::kBf16 ? 0x1.fefffep127 : std::numeric_limits<float>::max();
}

// Appends the little-endian bytes of `values`.
void EncodeValues(UpdateEncoding encoding, absl::Span<const float> values, std::string* bytes) {
  bytes->resize(values.size() * DtypeBytes(EncodedDtype(encoding)));
  if (encoding == UpdateEncoding::kFp32) {
    std::memcpy(bytes->data(), values.data(), bytes->size());
    return;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t bits = ToBf16(values[i]);
    std::memcpy(bytes->data() + i * sizeof(bits), &bits, sizeof(bits));
  }
}

absl::Status EncodeTensors(const SafetensorsReader& source, UpdateEncoding encoding,
                           SafetensorsWriter& target) {
  std::string bytes;
  for (size_t index = 0; index < source.layout().tensors().size(); ++index) {
    const std::string& name = source.layout().tensors()[index].name;
    const auto encode = [&](uint64_t first, absl::Span<const float> values) -> absl::Status {
      ENTENTE_RETURN_IF_ERROR(CheckValues(name, first, values, EncodableMax(encoding)));
      EncodeValues(encoding, values, &bytes);
      return target.WriteAt(index, first * DtypeBytes(EncodedDtype(encoding)), bytes);
    };
    ENTENTE_RETURN_IF_ERROR(VisitValues(source, index, UpdateEncoding::kFp32, encode));
  }
  return target.Finish();
}

}  // namespace

Dtype EncodedDtype(UpdateEncoding encoding) {
  return encoding == UpdateEncoding::kBf16 ? Dtype::kBf16 : Dtype::kF32;
}

absl::Status EncodeUpdate(FileSystem& files, const std::string& source, UpdateEncoding encoding,
                          const std::string& target) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> reader,
                           SafetensorsReader::Open(files, source));
  for (const TensorSpec& tensor : reader->layout().tensors()) {
    if (tensor.dtype != Dtype::kF32) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor \"", tensor.name, "\" of the update is ", DtypeName(tensor.dtype),
                       "; trainers write F32"));
    }
  }
  auto writer = SafetensorsWriter::Create(files, target,
                                          reader->layout().UpdateLayout(EncodedDtype(encoding)));
  absl::Status status = writer.ok() ? EncodeTensors(*reader, encoding, **writer) : writer.status();
  if (!status.ok()) files.Remove(target).IgnoreError();  // The first error is the one to report.
  return status;
}

void DecodeValues(UpdateEncoding encoding, absl::Span<const char> bytes, absl::Span<float> values) {
  ENTENTE_CHECK(bytes.size() == values.size() * DtypeBytes(EncodedDtype(encoding)));
  if (values.empty()) return;
  if (encoding == UpdateEncoding::kFp32) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * sizeof(bits), sizeof(bits));
    values[i] = FromBf16(bits);
  }
}

uint16_t ToBf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (value != value) return static_cast<uint16_t>((bits >> 16) | 0x0040U);  // Quiet, sign kept.
  // Half a step up, less one unit if the kept part is even: truncation then rounds ties to even. A
  // carry out of the fraction raises the exponent, which is just what it should do.
  const uint32_t is_odd = (bits >> 16) & 1U;
  return static_cast<uint16_t>((bits + 0x7fffU + is_odd) >> 16);
}

float FromBf16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

}  // namespace entente
