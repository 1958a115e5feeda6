// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/transfer_slots.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace entente::service {

struct TransferSlot::Taken {
  absl::Mutex mu;
  int all ABSL_GUARDED_BY(mu) = 0;
  absl::flat_hash_map<std::string, int> of_caller ABSL_GUARDED_BY(mu);  // None of those with 0.
};

TransferSlot::TransferSlot(std::shared_ptr<Taken> taken, std::string caller)
    : taken_(std::move(taken)), caller_(std::move(caller)) {}

TransferSlot& TransferSlot::operator=(TransferSlot&& other) noexcept {
  std::swap(taken_, other.taken_);
  std::swap(caller_, other.caller_);
  return *this;
}

TransferSlot::~TransferSlot() {
  if (taken_ == nullptr) return;
  absl::MutexLock lock(&taken_->mu);
  --taken_->all;
  const auto it = taken_->of_caller.find(caller_);
  if (--it->second == 0) taken_->of_caller.erase(it);
}

TransferSlots::TransferSlots(Bounds bounds)
    : bounds_(bounds), taken_(std::make_shared<TransferSlot::Taken>()) {}

TransferSlots::~TransferSlots() = default;

absl::StatusOr<TransferSlot> TransferSlots::Take(const std::string& caller) {
  absl::MutexLock lock(&taken_->mu);
  const auto it = taken_->of_caller.find(caller);
  const int of_caller = it == taken_->of_caller.end() ? 0 : it->second;
  if (of_caller >= bounds_.of_one_caller_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat(of_caller, " transfers of ", caller,
                     " are under way, as many as one caller may have of the ", bounds_.all_max,
                     " that this coordinator takes (limits.transfersPerCallerMax); try again when "
                     "one has ended"));
  }
  if (taken_->all >= bounds_.all_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat(taken_->all,
                     " transfers are under way, as many as this coordinator takes "
                     "(limits.transfersMax); try again later"));
  }
  ++taken_->all;
  ++taken_->of_caller[caller];
  return TransferSlot(taken_, caller);
}

}  // namespace entente::service
