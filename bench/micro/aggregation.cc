// SPDX-License-Identifier: Apache-2.0
// The next model out of 10 updates of 10 million floats, from the page cache, as the coordinator
// makes it, beside a plain loop that reads the same bytes and adds them as floats. Bytes are those
// of the updates.

#include <benchmark/benchmark.h>
#include <hwy/targets.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/executor.h"
#include "common/base/file_system.h"
#include "common/base/random_source.h"
#include "common/codec/update_codec.h"
#include "common/tensor/safetensors.h"
#include "coordinator/aggregation/weighted_mean.h"
#include "coordinator/engine/aggregation_run.h"
#include "coordinator/models/model_store.h"

namespace entente::bench {
namespace {

constexpr int kUpdates = 10;
constexpr size_t kElements = 10'000'000;
constexpr int64_t kUpdateBytes = int64_t{kUpdates} * kElements * sizeof(float);

// Nothing here waits for the disk: the page cache is what is measured.
struct Files {
  Files() {
    std::string name = "/var/tmp/entente-bench-XXXXXX";
    ENTENTE_CHECK(mkdtemp(name.data()) != nullptr);
    folder = name;
    auto made = models::ModelStore::Create(files, folder + "/models");
    ENTENTE_CHECK(made.ok());
    store = *std::move(made);
    const std::string model = store->TemporaryPath("model");
    Write(model, 0);
    request.base_model = *store->Adopt(model);
    request.label = "bench";
  }
  ~Files() { std::filesystem::remove_all(folder); }

  void Write(const std::string& path, uint64_t seed) {
    auto writer = SafetensorsWriter::Create(files, path, layout);
    ENTENTE_CHECK(writer.ok());
    std::vector<float> values(kElements);
    for (size_t i = 0; i < kElements; ++i) {
      values[i] = static_cast<float>(static_cast<int64_t>(SplitMix64At(seed, i))) * 0x1p-70F;
    }
    ENTENTE_CHECK((*writer)
                      ->WriteAt(0, 0,
                                absl::string_view(reinterpret_cast<const char*>(values.data()),
                                                  kElements * sizeof(float)))
                      .ok());
  }

  void MakeUpdates(const UpdateEncoding& encoding) {
    request.encoding = encoding;
    for (int i = 0; i < kUpdates; ++i) {
      const std::string source = absl::StrCat(folder, "/source");
      const std::string path = absl::StrCat(folder, "/update-", i);
      Write(source, i + 1);
      EncodeRequest encode;
      encode.source = source;
      encode.encoding = encoding;
      encode.target = path;
      ENTENTE_CHECK(EncodeUpdate(files, encode).ok());
      request.updates[WorkerId(absl::StrCat("lab/", i))] = {.path = path, .weight = 0.1};
    }
  }

  const Layout layout = *Layout::Create({{.name = "w", .shape = {kElements}}});
  PosixFileSystem files{Durability::kProcess};
  std::string folder;
  std::unique_ptr<models::ModelStore> store;
  engine::AggregationRequest request;
};

void PlainLoop(benchmark::State& state) {
  Files files;
  files.MakeUpdates(UpdateEncoding::kFp32);
  std::vector<float> sums(kElements);
  std::vector<float> block(16 << 10);
  for (auto _ : state) {
    for (const auto& [worker, input] : files.request.updates) {
      const auto file = files.files.OpenForRead(input.path);
      const uint64_t start = (*file)->size_bytes() - kElements * sizeof(float);
      for (size_t first = 0; first < kElements; first += block.size()) {
        const size_t size = std::min(block.size(), kElements - first);
        ENTENTE_CHECK((*file)
                          ->ReadAt(start + first * sizeof(float),
                                   absl::MakeSpan(reinterpret_cast<char*>(block.data()),
                                                  size * sizeof(float)))
                          .ok());
        for (size_t i = 0; i < size; ++i) sums[first + i] += block[i];
      }
    }
    benchmark::DoNotOptimize(sums.data());
  }
  state.SetBytesProcessed(state.iterations() * kUpdateBytes);
}
BENCHMARK(PlainLoop)->UseRealTime()->Unit(benchmark::kMillisecond);

void MeasureAggregation(benchmark::State& state, Files& files, int threads) {
  ThreadPool pool(threads);
  for (auto _ : state) {
    auto outcome = engine::RunAggregation(files.request, *files.store, files.files, pool, threads);
    ENTENTE_CHECK(outcome.ok());
    state.PauseTiming();
    // The same model is in the store already the next time, which must not make it cheaper.
    std::filesystem::remove(absl::StrCat(files.folder, "/models/", outcome->model.ToHex()));
    state.ResumeTiming();
  }
  state.SetBytesProcessed(state.iterations() * kUpdateBytes);
}

// Made once for all benchmarks of an encoding, which stand one after the other; those of the
// encoding before are gone then.
Files& UpdatesIn(const UpdateEncoding& encoding) {
  static std::unique_ptr<Files> files;
  if (files == nullptr || files->request.encoding != encoding) {
    files.reset();
    files = std::make_unique<Files>();
    files->MakeUpdates(encoding);
  }
  return *files;
}

void Aggregate(benchmark::State& state, const UpdateEncoding& encoding, int64_t target) {
  Files& files = UpdatesIn(encoding);
  hwy::SetSupportedTargetsForTest(target);
  MeasureAggregation(state, files, static_cast<int>(state.range(0)));
  hwy::SetSupportedTargetsForTest(0);
}

constexpr int64_t kBestTarget = 0;  // Whichever this machine has.

// With the machine's best vectors and one or two threads; with every other kind, one thread.
const bool kAggregationsRegistered = [] {
  const std::pair<std::string, UpdateEncoding> encodings[] = {
      {"fp32", UpdateEncoding::kFp32},
      {"bf16", UpdateEncoding::kBf16},
      {"fp16", UpdateEncoding::kFp16},
      {"int8", UpdateEncoding::kInt8},
      {"int4", UpdateEncoding::kInt4},
      {"topk", UpdateEncoding::Topk(0.03125, TopkValues::kInt8)},
      {"topk_2bit", UpdateEncoding::Topk(0.0625, TopkValues::k2Bit)}};
  const int64_t supported = hwy::SupportedTargets() & HWY_TARGETS;
  for (const auto& [name, encoding] : encodings) {
    benchmark::RegisterBenchmark(absl::StrCat("Aggregate/", name).c_str(), Aggregate, encoding,
                                 kBestTarget)
        ->Arg(1)
        ->Arg(2)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    // Highway gives the best the lowest bit.
    for (int64_t rest = supported & (supported - 1); rest != 0; rest &= rest - 1) {
      const int64_t target = rest & -rest;
      benchmark::RegisterBenchmark(
          absl::StrCat("Aggregate/", name, "/", hwy::TargetName(target)).c_str(), Aggregate,
          encoding, target)
          ->Arg(1)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}();

void AggregateInBlocks(benchmark::State& state) {
  Files files;
  files.MakeUpdates(UpdateEncoding::kFp32);
  files.request.block_elements = static_cast<size_t>(state.range(0));
  MeasureAggregation(state, files, static_cast<int>(state.range(1)));
}
// Elements of a block, and threads.
BENCHMARK(AggregateInBlocks)
    ->ArgsProduct({benchmark::CreateRange(4 << 10, 1 << 20, 2), {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// The sum alone, in the cache, per instruction set.
void Add(benchmark::State& state, int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  constexpr size_t kBlock = 16 << 10;
  const std::vector<float> values(kBlock, 0.25F);
  aggregation::WeightedMean mean(256);
  mean.Start(kBlock);
  for (auto _ : state) {
    mean.Add(1e-4, values);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kBlock * sizeof(float)));
  hwy::SetSupportedTargetsForTest(0);
}

const bool kAddsRegistered = [] {
  for (int64_t rest = hwy::SupportedTargets() & HWY_TARGETS; rest != 0; rest &= rest - 1) {
    const int64_t target = rest & -rest;
    benchmark::RegisterBenchmark((std::string("Add/") + hwy::TargetName(target)).c_str(), Add,
                                 target);
  }
  return true;
}();

}  // namespace
}  // namespace entente::bench
