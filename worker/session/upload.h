// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_UPLOAD_H_
#define WORKER_SESSION_UPLOAD_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "common/base/random_source.h"
#include "common/base/trace_context.h"
#include "common/transfer/chunk_compression.h"
#include "entente/v1/transfer_service.grpc.pb.h"
#include "worker/session/token_bucket.h"
#include "worker/session/transfers.h"

namespace entente::worker {

// Sends one file. One thread uses it; for one Run.
class Upload {
 public:
  struct Options {
    bool compresses = false;  // Chunks become zstd where that is smaller.
    TraceContext trace;       // Whose work it is.
  };

  // `stub`, `random` and `pace` are borrowed; `file` must hold header.total_bytes().
  Upload(v1::TransferService::StubInterface* stub, RandomSource* random, TokenBucket* pace,
         v1::UploadHeader header, std::unique_ptr<ReadableFile> file, Options options);

  // See Transfers::Upload.
  absl::Status Run(const Transfers::ByteProgress& progress, const CancelToken& cancel);

 private:
  // Asks where the coordinator stands and sends the rest.
  absl::Status SendOnce(const Transfers::ByteProgress& progress, const CancelToken& cancel,
                        bool* made_progress);
  absl::StatusOr<uint64_t> AskOffset(const CancelToken& cancel);
  // Sends the header and every chunk from `offset`. Stops early, with OK, when the coordinator does
  // not listen any more: its status says why.
  absl::Status SendFrom(uint64_t offset, grpc::ClientWriterInterface<v1::UploadMessage>* writer,
                        const Transfers::ByteProgress& progress, const CancelToken& cancel,
                        bool* made_progress);

  v1::TransferService::StubInterface& stub_;
  RandomSource& random_;
  TokenBucket& pace_;
  const v1::UploadHeader header_;
  const std::unique_ptr<ReadableFile> file_;
  const Options options_;
  ChunkCompressor compressor_;
  absl::Status local_failure_;  // This machine's fault: trying again will not help.
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_UPLOAD_H_
