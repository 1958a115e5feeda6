// SPDX-License-Identifier: Apache-2.0
// What the machine can do: everything else is read beside these two.

#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

namespace entente::bench {
namespace {

constexpr size_t kElements = size_t{16} << 20;  // 64 MiB: beyond every cache.

void Memcpy(benchmark::State& state) {
  const std::vector<float> from(kElements, 1.0F);
  std::vector<float> to(kElements);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), kElements * sizeof(float));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kElements * sizeof(float)));
}
BENCHMARK(Memcpy);

// McCalpin's STREAM triad; its bytes are two reads and a write.
void StreamTriad(benchmark::State& state) {
  std::vector<float> a(kElements);
  const std::vector<float> b(kElements, 1.0F);
  const std::vector<float> c(kElements, 2.0F);
  for (auto _ : state) {
    for (size_t i = 0; i < kElements; ++i) a[i] = b[i] + 3.0F * c[i];
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(3 * kElements * sizeof(float)));
}
BENCHMARK(StreamTriad);

}  // namespace
}  // namespace entente::bench
