// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_TRANSFER_SLOTS_H_
#define COORDINATOR_SERVICE_TRANSFER_SLOTS_H_

// How many transfers run at once, of everybody and of one caller. Each holds a chunk and an open
// file, so their number is what bounds the memory and the files of all of them; and a slot is taken
// before anybody has asked what the caller may do, so that nobody may have them all.

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace entente::service {

// The right to run one transfer, until it is destroyed. A default one holds nothing. Not
// thread-safe.
class TransferSlot {
 public:
  TransferSlot() = default;
  TransferSlot(TransferSlot&& other) noexcept = default;
  TransferSlot& operator=(TransferSlot&& other) noexcept;
  ~TransferSlot();

 private:
  friend class TransferSlots;
  struct Taken;
  TransferSlot(std::shared_ptr<Taken> taken, std::string caller);

  std::shared_ptr<Taken> taken_;  // Shared with TransferSlots, which may go first.
  std::string caller_;
};

// Thread-safe.
class TransferSlots {
 public:
  struct Bounds {
    int all_max = 0;
    int of_one_caller_max = 0;
  };
  explicit TransferSlots(Bounds bounds);
  ~TransferSlots();

  // For `caller`, a SPIFFE id. RESOURCE_EXHAUSTED, with the numbers, while all are taken, or all
  // that one caller may have.
  absl::StatusOr<TransferSlot> Take(const std::string& caller);

 private:
  const Bounds bounds_;
  const std::shared_ptr<TransferSlot::Taken> taken_;  // Shared with every slot.
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_TRANSFER_SLOTS_H_
