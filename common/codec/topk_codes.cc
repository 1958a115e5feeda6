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

constexpr int kPlaceBits = 12;
constexpr size_t kPlaceMax = (size_t{1} << kPlaceBits) - 1;
static_assert(kTopkChunkElements - 1 == kPlaceMax);
constexpr int kByteLevels = 127;

size_t BytesOfBits(size_t bits) { return (bits + 7) / 8; }

int ValueBits(TopkValues form) { return form == TopkValues::k2Bit ? 2 : 8; }

// How the places of a chunk are written; see the header.
struct PlaceCode {
  PlaceCode(size_t elements, size_t entries)
      : low_bits(static_cast<int>(std::bit_width(elements / entries)) - 1),
        map_bits(entries + ((elements - 1) >> low_bits)),
        bytes(BytesOfBits(entries * low_bits + map_bits)) {}

  int low_bits;
  size_t map_bits;
  size_t bytes;  // Of both.
};

// At most so many at once: with the rest of a byte they fit 32.
constexpr int kPieceBits = 24;

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
  void AppendZeros(size_t bits) {
    for (; bits > kPieceBits; bits -= kPieceBits) Append(0, kPieceBits);
    Append(0, static_cast<int>(bits));
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
    keys[i] = (magnitude << kPlaceBits) | (kPlaceMax - i);
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

void AppendPlaces(absl::Span<const uint16_t> places, size_t elements, std::string* bytes) {
  const PlaceCode code(elements, places.size());
  BitWriter bits(bytes);
  const uint32_t low_mask = (1U << code.low_bits) - 1;
  for (const uint16_t place : places) bits.Append(place & low_mask, code.low_bits);
  size_t written = 0;  // Of the map.
  for (size_t i = 0; i < places.size(); ++i) {
    const size_t bit = (places[i] >> code.low_bits) + i;
    bits.AppendZeros(bit - written);
    bits.Append(1, 1);
    written = bit + 1;
  }
  bits.AppendZeros(code.map_bits - written);
  bits.Finish();
}

// Reads as many places as `places` has.
absl::Status ReadPlaces(absl::Span<const char> bytes, size_t elements,
                        absl::Span<uint16_t> places) {
  const PlaceCode code(elements, places.size());
  BitReader bits(bytes);
  for (uint16_t& place : places) place = static_cast<uint16_t>(bits.Next(code.low_bits));
  size_t count = 0;
  for (size_t first = 0; first < code.map_bits; first += kPieceBits) {
    const size_t size = std::min<size_t>(kPieceBits, code.map_bits - first);
    for (uint32_t piece = bits.Next(static_cast<int>(size)); piece != 0; piece &= piece - 1) {
      if (count == places.size()) {
        return absl::InvalidArgumentError(absl::StrCat("there are more than ", count, " places"));
      }
      const size_t high = first + std::countr_zero(piece) - count;
      const size_t place = (high << code.low_bits) | places[count];
      if (place >= elements || (count > 0 && place <= places[count - 1])) {
        return absl::InvalidArgumentError(absl::StrCat("entry ", count, " has place ", place,
                                                       "; places ascend and are under ", elements));
      }
      places[count++] = static_cast<uint16_t>(place);
    }
  }
  if (count < places.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", count, " places for ", places.size(), " entries"));
  }
  if (!bits.IsPaddingZero()) {
    return absl::InvalidArgumentError("the bits after the last place are not zero");
  }
  return absl::OkStatus();
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

size_t TopkChunkBytes(size_t elements, size_t entries, TopkValues form) {
  return kScaleBytes + PlaceCode(elements, entries).bytes + BytesOfBits(entries * ValueBits(form));
}

void AppendTopkChunk(absl::Span<const float> values, size_t entries, TopkValues form,
                     std::string* bytes) {
  ENTENTE_CHECK(entries >= 1 && entries <= values.size() && values.size() <= kTopkChunkElements);
  std::array<uint16_t, kTopkChunkElements> places;
  SelectLargest(values, absl::MakeSpan(places).first(entries));

  const float scale = ScaleFor(values, form == TopkValues::k2Bit ? 1 : kByteLevels);
  AppendScale(scale, bytes);
  AppendPlaces(absl::MakeConstSpan(places).first(entries), values.size(), bytes);
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
  ENTENTE_CHECK(entries >= 1 && entries <= values.size() && values.size() <= kTopkChunkElements &&
                bytes.size() == TopkChunkBytes(values.size(), entries, form));
  const float scale = ReadScale(bytes.data());
  ENTENTE_RETURN_IF_ERROR(CheckScale(scale));
  const float levels[] = {-scale, -scale / 3, scale / 3, scale};
  const size_t place_bytes = PlaceCode(values.size(), entries).bytes;
  std::array<uint16_t, kTopkChunkElements> room;
  const absl::Span<uint16_t> places = absl::MakeSpan(room).first(entries);
  ENTENTE_RETURN_IF_ERROR(
      ReadPlaces(bytes.subspan(kScaleBytes, place_bytes), values.size(), places));
  BitReader codes(bytes.subspan(kScaleBytes + place_bytes));
  std::fill(values.begin(), values.end(), 0.0F);
  for (const uint16_t place : places) {
    const uint32_t code = codes.Next(ValueBits(form));
    if (form == TopkValues::kInt8 && code == 0x80U) {
      return absl::InvalidArgumentError("an integer is -128; they are -127 to 127");
    }
    if (scale == 0) continue;
    values[place] = form == TopkValues::k2Bit
                        ? levels[code]
                        : static_cast<float>(static_cast<int8_t>(code)) * scale;
  }
  if (!codes.IsPaddingZero()) {
    return absl::InvalidArgumentError("the bits after the last value are not zero");
  }
  return absl::OkStatus();
}

}  // namespace entente
