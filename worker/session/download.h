// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_DOWNLOAD_H_
#define WORKER_SESSION_DOWNLOAD_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/random_source.h"
#include "common/base/trace_context.h"
#include "common/transfer/chunk_compression.h"
#include "entente/v1/transfer_service.grpc.pb.h"
#include "worker/cache/model_cache.h"
#include "worker/session/token_bucket.h"
#include "worker/session/transfers.h"

namespace entente::worker {

// Fetches one model into the cache. One thread uses it; for one Run.
class Download {
 public:
  struct Target {
    Digest digest;
    std::string job_id;
    TraceContext trace;  // Whose work it is.
  };

  // All borrowed.
  Download(v1::TransferService::StubInterface* stub, ModelCache* cache, RandomSource* random,
           TokenBucket* pace, Target target);

  // See Transfers::Download.
  absl::StatusOr<ModelCache::Lease> Run(const Transfers::ByteProgress& progress,
                                        const CancelToken& cancel);

 private:
  // One call to the coordinator, from where the file stands. `local_failure_` is set if what failed
  // is this machine.
  absl::Status FetchOnce(const Transfers::ByteProgress& progress, const CancelToken& cancel,
                         bool* made_progress);
  // Reads chunks until the stream ends; false if it is to be broken off.
  bool ReadChunks(grpc::ClientReaderInterface<v1::Chunk>* reader,
                  const Transfers::ByteProgress& progress, const CancelToken& cancel,
                  bool* made_progress);
  // `data` are the chunk's raw bytes, which belong at `offset`.
  absl::Status TakeData(uint64_t offset, absl::string_view data);

  v1::TransferService::StubInterface& stub_;
  ModelCache& cache_;
  RandomSource& random_;
  TokenBucket& pace_;
  const Target target_;
  std::unique_ptr<IncomingFile> file_;  // Null until the first chunk has said the size.
  bool stands_further_ = false;         // Than what the stream at hand brings; see ReadChunks.
  ChunkDecompressor decompressor_;
  absl::Status bad_chunk_;  // What is wrong with one of the stream at hand.
  absl::Status local_failure_;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_DOWNLOAD_H_
