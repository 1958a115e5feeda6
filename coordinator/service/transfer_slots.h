// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_TRANSFER_SLOTS_H_
#define COORDINATOR_SERVICE_TRANSFER_SLOTS_H_

// How many transfers run at once. Each holds a chunk and an open file, so their number is what
// bounds the memory and the files of all of them.

#include <atomic>
#include <memory>

#include "absl/status/statusor.h"

namespace entente::service {

// The right to run one transfer, until it is destroyed. A default one holds nothing. Not
// thread-safe.
class TransferSlot {
 public:
  TransferSlot() = default;
  TransferSlot(TransferSlot&&) noexcept = default;
  TransferSlot& operator=(TransferSlot&& other) noexcept;
  ~TransferSlot();

 private:
  friend class TransferSlots;
  explicit TransferSlot(std::shared_ptr<std::atomic<int>> taken) : taken_(std::move(taken)) {}

  std::shared_ptr<std::atomic<int>> taken_;  // Shared with TransferSlots, which may go first.
};

// Thread-safe.
class TransferSlots {
 public:
  explicit TransferSlots(int slots_max);

  // RESOURCE_EXHAUSTED while all are taken.
  absl::StatusOr<TransferSlot> Take();

 private:
  const int slots_max_;
  const std::shared_ptr<std::atomic<int>> taken_;  // Shared with every slot.
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_TRANSFER_SLOTS_H_
