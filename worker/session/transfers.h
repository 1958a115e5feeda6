// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TRANSFERS_H_
#define WORKER_SESSION_TRANSFERS_H_

// Bulk bytes to and from the coordinator. grpc_transfers.h is the real one.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/trace_context.h"
#include "common/crypto/sha256.h"
#include "entente/v1/transfer_service.pb.h"
#include "worker/cache/model_cache.h"
#include "worker/trainer_host/cancel_token.h"

namespace entente::worker {

// Both calls block, try again for as long as trying may help and the token is not cancelled
// (CANCELLED then), and continue a broken transfer where it stood. `trace` is whose work it is, for
// the coordinator's log.
class Transfers {
 public:
  // Bytes done and in all.
  using ByteProgress = std::function<void(uint64_t, uint64_t)>;

  virtual ~Transfers() = default;

  // The model or program, from the cache if it is there. NOT_FOUND and the like if the coordinator
  // does not give it; RESOURCE_EXHAUSTED if it does not fit here; DATA_LOSS if it came with another
  // digest time and again.
  virtual absl::StatusOr<ModelCache::Lease> Download(const Digest& digest,
                                                     const std::string& job_id,
                                                     const TraceContext& trace,
                                                     const ByteProgress& progress,
                                                     const CancelToken& cancel) = 0;

  // OK: the coordinator has the update for good. INVALID_ARGUMENT, FAILED_PRECONDITION,
  // ALREADY_EXISTS: it has no use for it, with its words. Anything else: nobody refused it, but it
  // could not be sent; INTERNAL: nor read here. `compresses`: chunks may travel as zstd.
  virtual absl::Status Upload(const v1::UploadHeader& header, const std::string& path,
                              bool compresses, const TraceContext& trace,
                              const ByteProgress& progress, const CancelToken& cancel) = 0;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_TRANSFERS_H_
