// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_STRONG_ID_H_
#define COMMON_BASE_STRONG_ID_H_

// A string that names one kind of thing and does not convert to the name of another.
//
//   using JobId = StrongId<struct JobIdTag>;

#include <compare>
#include <ostream>
#include <string>
#include <utility>

namespace entente {

template <typename Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(std::string value) : value_(std::move(value)) {}

  const std::string& value() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend auto operator<=>(const StrongId&, const StrongId&) = default;
  friend std::ostream& operator<<(std::ostream& out, const StrongId& id) {
    return out << id.value_;
  }

 private:
  std::string value_;
};

// One training run, e.g. "fashion-mnist-k3x9qa".
using JobId = StrongId<struct JobIdTag>;

// A country's institution, e.g. "fr-lab".
using MemberId = StrongId<struct MemberIdTag>;

// One machine of a member, "member/name", e.g. "fr-lab/gpu-1". Aggregation runs in this order.
using WorkerId = StrongId<struct WorkerIdTag>;

// "fr-lab" of "fr-lab/gpu-1".
inline MemberId MemberOf(const WorkerId& worker) {
  return MemberId(worker.value().substr(0, worker.value().find('/')));
}

}  // namespace entente

#endif  // COMMON_BASE_STRONG_ID_H_
