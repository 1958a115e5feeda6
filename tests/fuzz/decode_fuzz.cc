// SPDX-License-Identifier: Apache-2.0
// One target for each encoding: CMakeLists.txt defines ENTENTE_FUZZED_KIND, an EncodingKind, and
// for topk ENTENTE_FUZZED_VALUES. Input: the fraction of topk less one in 512ths, two bytes with a
// number of elements, bytes to decode. They are decoded or refused; in pieces as at once; and never
// with another number of bytes.

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/codec/value_codec.h"

#ifndef ENTENTE_FUZZED_VALUES
#define ENTENTE_FUZZED_VALUES kInt8
#endif

namespace entente {
namespace {

constexpr size_t kParameterBytes = 3;

UpdateEncoding FuzzedEncoding(uint8_t fraction) {
  return {.kind = EncodingKind::ENTENTE_FUZZED_KIND,
          .topk_fraction = (fraction + 1) / 512.0,
          .topk_values = TopkValues::ENTENTE_FUZZED_VALUES};
}

void DecodeInPieces(const UpdateEncoding& encoding, const std::string& bytes,
                    const std::vector<float>& expected, bool expected_ok) {
  const size_t piece = std::max<size_t>(AlignmentElements(encoding), 1024);
  bool all_ok = true;
  for (size_t first = 0; first < expected.size(); first += piece) {
    const size_t count = std::min(piece, expected.size() - first);
    std::vector<float> values(count);
    const auto part = absl::MakeConstSpan(bytes.data(), bytes.size())
                          .subspan(EncodedBytes(encoding, first), EncodedBytes(encoding, count));
    all_ok &= DecodeValues(encoding, first, part, absl::MakeSpan(values)).ok();
    if (!expected_ok) continue;
    for (size_t i = 0; i < count; ++i) {
      ENTENTE_CHECK(std::bit_cast<uint32_t>(values[i]) ==
                    std::bit_cast<uint32_t>(expected[first + i]));
    }
  }
  ENTENTE_CHECK(all_ok == expected_ok);
}

}  // namespace
}  // namespace entente

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using entente::kParameterBytes;
  if (size < kParameterBytes) return 0;
  const entente::UpdateEncoding encoding = entente::FuzzedEncoding(data[0]);
  const size_t elements = data[1] + 256 * (data[2] % 64);
  std::string bytes(reinterpret_cast<const char*>(data) + kParameterBytes, size - kParameterBytes);
  std::vector<float> values(elements);
  const uint64_t right_size = entente::EncodedBytes(encoding, elements);
  const absl::Status as_given = entente::DecodeValues(encoding, 0, bytes, absl::MakeSpan(values));
  ENTENTE_CHECK(bytes.size() == right_size || absl::IsInvalidArgument(as_given));

  bytes.resize(right_size);
  const absl::Status decoded = entente::DecodeValues(encoding, 0, bytes, absl::MakeSpan(values));
  ENTENTE_CHECK(decoded.ok() || absl::IsInvalidArgument(decoded));
  entente::DecodeInPieces(encoding, bytes, values, decoded.ok());
  return 0;
}
