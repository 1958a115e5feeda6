// SPDX-License-Identifier: Apache-2.0
// SHA-256, and a file that arrives in chunks until it is safe, under each durability.

#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "common/base/check.h"
#include "common/base/file_system.h"
#include "common/base/limits.h"
#include "common/crypto/sha256.h"
#include "common/transfer/incoming_file.h"

namespace entente::bench {
namespace {

void Digests(benchmark::State& state) {
  const std::string chunk(limits::kTransferChunkBytes, 'x');
  Sha256 hash;
  for (auto _ : state) hash.Update(chunk);
  state.SetBytesProcessed(state.iterations() * limits::kTransferChunkBytes);
}
BENCHMARK(Digests)->Name("Sha256");

// 100 MiB in chunks of 1 MiB: written, hashed, checked, synced and renamed.
void SpoolWrite(benchmark::State& state, Durability durability) {
  constexpr int64_t kChunks = 100;
  char folder[] = "/var/tmp/entente-bench-XXXXXX";
  ENTENTE_CHECK(mkdtemp(folder) != nullptr);
  const std::string path = std::string(folder) + "/update";
  const std::string chunk(limits::kTransferChunkBytes, 'x');
  Sha256 hash;
  for (int64_t i = 0; i < kChunks; ++i) hash.Update(chunk);
  const Digest digest = hash.Current();
  PosixFileSystem files(durability);
  for (auto _ : state) {
    auto file = IncomingFile::Open(files, path, kChunks * chunk.size(), 0);
    ENTENTE_CHECK(file.ok());
    for (int64_t i = 0; i < kChunks; ++i) {
      ENTENTE_CHECK((*file)->Append(i * chunk.size(), chunk).ok());
    }
    ENTENTE_CHECK((*file)->Verify(digest).ok());
    ENTENTE_CHECK((*file)->Commit().ok());
    ENTENTE_CHECK(files.Remove(path).ok());
  }
  state.SetBytesProcessed(state.iterations() * kChunks * limits::kTransferChunkBytes);
  rmdir(folder);
}
BENCHMARK_CAPTURE(SpoolWrite, process, Durability::kProcess)->UseRealTime();
BENCHMARK_CAPTURE(SpoolWrite, power_loss, Durability::kPowerLoss)->UseRealTime();

}  // namespace
}  // namespace entente::bench
