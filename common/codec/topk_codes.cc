// SPDX-License-Identifier: Apache-2.0
#include "common/codec/topk_codes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/codec/block_codes.h"

namespace entente {
namespace {

constexpr int kIndexBits = 12;
constexpr size_t kPlaceMax = (size_t{1} << kIndexBits) - 1;
static_assert(kTopkChunkElements - 1 == kPlaceMax);
constexpr int kByteLevels = 127;

size_t BytesOfBits(size_t bits) { return (bits + 7) / 8; }

int ValueBits(TopkValues form) { return form == TopkValues::k2Bit ? 2 : 8; }

// Appends numbers of a few bits, the lowest bit of each byte first.
class BitWriter {
 public:
  explicit BitWriter(std::string* bytes) : bytes_(*bytes) {}

  void Append(uint32_t number, int bits) {
    pending_ |= number << pending_bits_;
    for (pending_bits_ += bits; pending_bits_ >= 8; pending_bits_ -= 8, pending_ >>= 8) {
      bytes_.push_back(static_cast<char>(pending_ & 0xffU));
    }
  }
  // Pads with zeros to a whole byte.
  void Finish() {
    if (pending_bits_ > 0) bytes_.push_back(static_cast<char>(pending_));
  }

 private:
  std::string& bytes_;
  uint32_t pending_ = 0;
  int pending_bits_ = 0;
};

class BitReader {
 public:
  explicit BitReader(absl::Span<const char> bytes) : bytes_(bytes) {}

  uint32_t Next(int bits) {
    for (; pending_bits_ < bits; pending_bits_ += 8) {
      pending_ |= static_cast<uint32_t>(static_cast<unsigned char>(bytes_[position_++]))
                  << pending_bits_;
    }
    const uint32_t number = pending_ & ((1U << bits) - 1);
    pending_ >>= bits;
    pending_bits_ -= bits;
    return number;
  }
  bool IsPaddingZero() const { return pending_ == 0; }

 private:
  const absl::Span<const char> bytes_;
  size_t position_ = 0;
  uint32_t pending_ = 0;
  int pending_bits_ = 0;
};

// Fills `places` with those of the largest magnitudes, ascending.
void SelectLargest(absl::Span<const float> values, absl::Span<uint16_t> places) {
  // A number's magnitude, which for finite ones is in the order of its bits, and below it how far
  // its place is from the last: of equal magnitudes the first is larger. The order is total, so
  // which ones come first does not depend on the algorithm.
  std::array<uint64_t, kTopkChunkElements> keys;
  for (size_t i = 0; i < values.size(); ++i) {
    const uint64_t magnitude = std::bit_cast<uint32_t>(values[i]) & 0x7fffffffU;
    keys[i] = (magnitude << kIndexBits) | (kPlaceMax - i);
  }
  if (places.size() < values.size()) {
    std::nth_element(keys.begin(), keys.begin() + places.size(), keys.begin() + values.size(),
                     std::greater<>());
  }
  for (size_t i = 0; i < places.size(); ++i) {
    places[i] = static_cast<uint16_t>(kPlaceMax - (keys[i] & kPlaceMax));
  }
  std::sort(places.begin(), places.end());
}

// The nearest of -1, -1/3, 1/3, 1 times `scale`; ties go up. The products are exact.
uint32_t TwoBitsOf(float value, float scale) {
  const double thrice = 3 * double{value};
  if (thrice >= 2 * double{scale}) return 3;
  if (value >= 0) return 2;
  return thrice >= -2 * double{scale} ? 1 : 0;
}

uint32_t ByteOf(float value, float scale) {
  const double steps = std::nearbyint(double{value} / double{scale});  // Ties to even.
  const int integer = std::clamp(static_cast<int>(steps), -kByteLevels, kByteLevels);
  return static_cast<uint32_t>(integer) & 0xffU;
}

}  // namespace

size_t TopkChunkBytes(size_t entries, TopkValues form) {
  return kScaleBytes + BytesOfBits(entries * kIndexBits) + BytesOfBits(entries * ValueBits(form));
}

void AppendTopkChunk(absl::Span<const float> values, size_t entries, TopkValues form,
                     std::string* bytes) {
  ENTENTE_CHECK(entries >= 1 && entries <= values.size() && values.size() <= kTopkChunkElements);
  std::array<uint16_t, kTopkChunkElements> places;
  SelectLargest(values, absl::MakeSpan(places).first(entries));

  const float scale = ScaleFor(values, form == TopkValues::k2Bit ? 1 : kByteLevels);
  AppendScale(scale, bytes);
  BitWriter indices(bytes);
  for (size_t i = 0; i < entries; ++i) indices.Append(places[i], kIndexBits);
  indices.Finish();
  BitWriter codes(bytes);
  for (size_t i = 0; i < entries; ++i) {
    const float value = values[places[i]];
    const uint32_t code = scale == 0                  ? 0
                          : form == TopkValues::k2Bit ? TwoBitsOf(value, scale)
                                                      : ByteOf(value, scale);
    codes.Append(code, ValueBits(form));
  }
  codes.Finish();
}

absl::Status DecodeTopkChunk(absl::Span<const char> bytes, size_t entries, TopkValues form,
                             absl::Span<float> values) {
  ENTENTE_CHECK(bytes.size() == TopkChunkBytes(entries, form) && entries <= values.size() &&
                values.size() <= kTopkChunkElements);
  const float scale = ReadScale(bytes.data());
  ENTENTE_RETURN_IF_ERROR(CheckScale(scale));
  const float levels[] = {-scale, -scale / 3, scale / 3, scale};
  const size_t index_bytes = BytesOfBits(entries * kIndexBits);
  BitReader indices(bytes.subspan(kScaleBytes, index_bytes));
  BitReader codes(bytes.subspan(kScaleBytes + index_bytes));
  std::fill(values.begin(), values.end(), 0.0F);
  uint32_t next = 0;  // The smallest index that may come.
  for (size_t i = 0; i < entries; ++i) {
    const uint32_t index = indices.Next(kIndexBits);
    if (index < next || index >= values.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "entry ", i, " has index ", index, "; indices ascend and are under ", values.size()));
    }
    next = index + 1;
    const uint32_t code = codes.Next(ValueBits(form));
    if (form == TopkValues::kInt8 && code == 0x80U) {
      return absl::InvalidArgumentError("an integer is -128; they are -127 to 127");
    }
    if (scale == 0) continue;
    values[index] = form == TopkValues::k2Bit
                        ? levels[code]
                        : static_cast<float>(static_cast<int8_t>(code)) * scale;
  }
  if (!indices.IsPaddingZero() || !codes.IsPaddingZero()) {
    return absl::InvalidArgumentError("the bits after the last entry are not zero");
  }
  return absl::OkStatus();
}

}  // namespace entente
