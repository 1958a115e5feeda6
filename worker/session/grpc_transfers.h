// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_GRPC_TRANSFERS_H_
#define WORKER_SESSION_GRPC_TRANSFERS_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "common/base/file_system.h"
#include "common/base/random_source.h"
#include "entente/v1/transfer_service.grpc.pb.h"
#include "worker/cache/model_cache.h"
#include "worker/session/token_bucket.h"
#include "worker/session/transfers.h"

namespace entente::worker {

// Transfers over the coordinator's TransferService. Thread-safe.
class GrpcTransfers final : public Transfers {
 public:
  // Borrowed; all must outlive this.
  struct Dependencies {
    FileSystem* files = nullptr;
    ModelCache* cache = nullptr;
    RandomSource* random = nullptr;
    TokenBucket* upload_pace = nullptr;
    TokenBucket* download_pace = nullptr;
  };

  // The channel is best not the control stream's, whose heartbeats would wait behind an upload.
  GrpcTransfers(const std::shared_ptr<grpc::Channel>& channel, Dependencies dependencies);
  GrpcTransfers(std::unique_ptr<v1::TransferService::StubInterface> stub,
                Dependencies dependencies);

  absl::StatusOr<ModelCache::Lease> Download(const Digest& digest, const std::string& job_id,
                                             const TraceContext& trace,
                                             const ByteProgress& progress,
                                             const CancelToken& cancel) override;
  absl::Status Upload(const v1::UploadHeader& header, const std::string& path, bool compresses,
                      const TraceContext& trace, const ByteProgress& progress,
                      const CancelToken& cancel) override;

 private:
  const std::unique_ptr<v1::TransferService::StubInterface> stub_;
  const Dependencies dependencies_;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_GRPC_TRANSFERS_H_
