// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_TRANSFER_STUB_H_
#define SIM_TRANSFER_STUB_H_

// The coordinator's TransferService as worker/session's transfers call it, over the simulated
// network. Blocks in simulated time.

#include <memory>

#include "entente/v1/transfer_service.grpc.pb.h"
#include "sim/blocking_thread.h"
#include "sim/machine.h"
#include "sim/network.h"
#include "worker/session/transfers.h"

namespace entente::sim {

// What the stub's calls share; all borrowed.
struct TransferContext {
  Network* network = nullptr;
  const Process* process = nullptr;
  BlockingThread* thread = nullptr;
  int machine = 0;
  const worker::CancelToken* cancel = nullptr;  // Of the transfer at hand. Null: none.
};

std::unique_ptr<v1::TransferService::StubInterface> MakeTransferStub(TransferContext* context);

// Transfers that tell the stub which token ends its calls, for a call's own context says nothing
// about it.
class CancellableTransfers final : public worker::Transfers {
 public:
  // Both borrowed.
  CancellableTransfers(worker::Transfers* real, TransferContext* context)
      : real_(*real), context_(*context) {}

  absl::StatusOr<worker::ModelCache::Lease> Download(const Digest& digest,
                                                     const std::string& job_id,
                                                     const TraceContext& trace,
                                                     const ByteProgress& progress,
                                                     const worker::CancelToken& cancel) override;
  absl::Status Upload(const v1::UploadHeader& header, const std::string& path, bool compresses,
                      const TraceContext& trace, const ByteProgress& progress,
                      const worker::CancelToken& cancel) override;

 private:
  worker::Transfers& real_;
  TransferContext& context_;
};

}  // namespace entente::sim

#endif  // SIM_TRANSFER_STUB_H_
