// SPDX-License-Identifier: Apache-2.0
// Encoding and decoding, per encoding and instruction set; bytes are those of the floats.

#include <benchmark/benchmark.h>
#include <hwy/targets.h>

#include <string>
#include <vector>

#include "common/base/random_source.h"
#include "common/codec/value_codec.h"

namespace entente::bench {
namespace {

constexpr size_t kBlockElements = size_t{128} << 10;  // The block that aggregation reads.

std::vector<float> Noise() {
  std::vector<float> values;
  for (size_t i = 0; i < kBlockElements; ++i) {
    values.push_back(static_cast<float>(static_cast<int64_t>(SplitMix64At(1, i))) * 0x1p-70F);
  }
  return values;
}

void CountFloats(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() *
                          static_cast<int64_t>(kBlockElements * sizeof(float)));
}

void Encode(benchmark::State& state, const UpdateEncoding& encoding, int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  const std::vector<float> values = Noise();
  std::string bytes;
  for (auto _ : state) {
    EncodeValues(encoding, 1, 0, values, &bytes);
    benchmark::DoNotOptimize(bytes.data());
  }
  CountFloats(state);
  hwy::SetSupportedTargetsForTest(0);
}

void Decode(benchmark::State& state, const UpdateEncoding& encoding, int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  std::string bytes;
  EncodeValues(encoding, 1, 0, Noise(), &bytes);
  std::vector<float> values(kBlockElements);
  for (auto _ : state) {
    const absl::Status status = DecodeValues(encoding, 0, bytes, absl::MakeSpan(values));
    if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
    benchmark::DoNotOptimize(values.data());
  }
  CountFloats(state);
  hwy::SetSupportedTargetsForTest(0);
}

// The kinds of vectors differ from machine to machine, so they are found out at the start.
const bool kCodecsRegistered = [] {
  const UpdateEncoding encodings[] = {UpdateEncoding::kFp32,
                                      UpdateEncoding::kBf16,
                                      UpdateEncoding::kFp16,
                                      UpdateEncoding::kInt8,
                                      UpdateEncoding::kInt4,
                                      UpdateEncoding::Topk(0.03125, TopkValues::kInt8),
                                      UpdateEncoding::Topk(0.0625, TopkValues::k2Bit)};
  const int64_t supported = hwy::SupportedTargets() & HWY_TARGETS;
  for (const UpdateEncoding& encoding : encodings) {
    for (int64_t rest = supported; rest != 0; rest &= rest - 1) {
      const int64_t target = rest & -rest;
      std::string name(EncodingName(encoding.kind));
      if (encoding.kind == EncodingKind::kTopk) {
        name += encoding.topk_values == TopkValues::k2Bit ? "_2bit" : "_int8";
      }
      name += std::string("/") + hwy::TargetName(target);
      benchmark::RegisterBenchmark(("Encode/" + name).c_str(), Encode, encoding, target);
      benchmark::RegisterBenchmark(("Decode/" + name).c_str(), Decode, encoding, target);
    }
  }
  return true;
}();

}  // namespace
}  // namespace entente::bench
