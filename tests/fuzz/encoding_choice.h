// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FUZZ_ENCODING_CHOICE_H_
#define TESTS_FUZZ_ENCODING_CHOICE_H_

#include <cstddef>
#include <cstdint>

#include "common/codec/update_encoding.h"

namespace entente::fuzz {

inline constexpr size_t kChoiceBytes = 3;

// The encoding that the first three bytes of an input name: its kind, the fraction of topk less one
// in 512ths, and in the lowest bit of the third whether its values have 2 bits.
inline UpdateEncoding ChosenEncoding(const uint8_t* data) {
  return {.kind = static_cast<EncodingKind>(data[0] % 6),
          .topk_fraction = (data[1] + 1) / 512.0,
          .topk_values = (data[2] & 1) != 0 ? TopkValues::k2Bit : TopkValues::kInt8};
}

}  // namespace entente::fuzz

#endif  // TESTS_FUZZ_ENCODING_CHOICE_H_
