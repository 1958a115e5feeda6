// SPDX-License-Identifier: Apache-2.0
#include "coordinator/rounds/round_event.h"

#include <iterator>

namespace entente::rounds {

absl::string_view EventName(const RoundEvent& event) {
  static constexpr absl::string_view kNames[] = {"opened",
                                                 "task accepted",
                                                 "task declined",
                                                 "update accepted",
                                                 "update refused",
                                                 "worker missing",
                                                 "worker failed",
                                                 "worker returned",
                                                 "deadline checked",
                                                 "aggregated",
                                                 "aggregation failed",
                                                 "evaluated",
                                                 "evaluation failed",
                                                 "cancelled",
                                                 "worker skipped",
                                                 "update lost",
                                                 "absence awaited"};
  static_assert(std::size(kNames) == std::variant_size_v<RoundEvent>);
  return kNames[event.index()];
}

}  // namespace entente::rounds
