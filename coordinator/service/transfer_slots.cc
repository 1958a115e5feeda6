// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/transfer_slots.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace entente::service {

TransferSlot& TransferSlot::operator=(TransferSlot&& other) noexcept {
  std::swap(taken_, other.taken_);
  return *this;
}

TransferSlot::~TransferSlot() {
  if (taken_ != nullptr) taken_->fetch_sub(1);
}

TransferSlots::TransferSlots(int slots_max)
    : slots_max_(slots_max), taken_(std::make_shared<std::atomic<int>>(0)) {}

absl::StatusOr<TransferSlot> TransferSlots::Take() {
  TransferSlot slot(taken_);
  if (taken_->fetch_add(1) < slots_max_) return slot;
  return absl::ResourceExhaustedError(
      absl::StrCat(slots_max_,
                   " transfers are under way, as many as this coordinator takes "
                   "(limits.transfersMax); try again later"));
}

}  // namespace entente::service
