// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CODEC_TOPK_CODES_H_
#define COMMON_CODEC_TOPK_CODES_H_

// topk: of each chunk of 4096 numbers (the last one of a tensor may have fewer) the k of the
// largest magnitude, after SparseLoCo (Sarfi et al. 2025) and DeMo (Peng et al. 2024). What is left
// out, and what rounding took, stays with the sender, who adds it to its next update: see
// update_codec.h.
//
//   scale (F32), k places strictly ascending, k values
//
// Places are in the code of Elias (1974, "Efficient storage and retrieval by content and address of
// static files") and Fano: with l the binary logarithm of the chunk's numbers / k, rounded down,
// the l low bits of each place; then a bit map, in which what is above them of place i is h if bit
// h + i is set. That is l + 2 to l + 3 bits a place, where the place itself has 12, and it is as
// many for any places, so that sizes are known beforehand.
//
// Places and values are bit streams, the lowest bit of a byte first, each padded with zeros to
// whole bytes. A value has 2 bits (0 to 3: -1, -1/3, 1/3, 1 times the scale) or 8 (a signed byte of
// -127 to 127 times the scale).

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/codec/update_encoding.h"

namespace entente {

inline constexpr size_t kTopkChunkElements = 4096;

// Bytes of a chunk of `elements` numbers, 1 to 4096, that has `entries` of them, 1 to all.
size_t TopkChunkBytes(size_t elements, size_t entries, TopkValues form);

// Appends a chunk of 1 to 4096 finite values with its `entries` largest; of equal magnitudes the
// first is taken.
void AppendTopkChunk(absl::Span<const float> values, size_t entries, TopkValues form,
                     std::string* bytes);

// Reads a chunk of values.size() numbers, 1 to 4096, from exactly its bytes; what is not in it is
// 0. INVALID_ARGUMENT for a scale that is none, places that do not ascend or pass the chunk's end,
// a bit map with more or fewer of them, an integer of -128, or padding that is not zero.
absl::Status DecodeTopkChunk(absl::Span<const char> bytes, size_t entries, TopkValues form,
                             absl::Span<float> values);

}  // namespace entente

#endif  // COMMON_CODEC_TOPK_CODES_H_
