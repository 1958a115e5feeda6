// SPDX-License-Identifier: Apache-2.0
// What the machine can do: everything else is read beside these two.

#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

namespace entente::bench {
namespace {

constexpr size_t kBeyondCaches = size_t{16} << 20;  // 64 MiB: beyond every cache.

void Memcpy(benchmark::State& state) {
  const std::vector<float> from(kBeyondCaches, 1.0F);
  std::vector<float> to(kBeyondCaches);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), kBeyondCaches * sizeof(float));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kBeyondCaches * sizeof(float)));
}
BENCHMARK(Memcpy);

// McCalpin's STREAM triad; its bytes are two reads and a write.
void StreamTriad(benchmark::State& state) {
  std::vector<float> a(kBeyondCaches);
  const std::vector<float> b(kBeyondCaches, 1.0F);
  const std::vector<float> c(kBeyondCaches, 2.0F);
  for (auto _ : state) {
    for (size_t i = 0; i < kBeyondCaches; ++i) a[i] = b[i] + 3.0F * c[i];
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() *
                          static_cast<int64_t>(3 * kBeyondCaches * sizeof(float)));
}
BENCHMARK(StreamTriad);

}  // namespace
}  // namespace entente::bench
