// SPDX-License-Identifier: Apache-2.0
#include "coordinator/rounds/round_event.h"

#include <iterator>

namespace entente::rounds {
namespace {

// As the alternatives of RoundEvent.
constexpr absl::string_view kNames[] = {"opened",
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

}  // namespace

absl::string_view EventName(const RoundEvent& event) { return kNames[event.index()]; }

absl::Span<const absl::string_view> EventNames() { return kNames; }

}  // namespace entente::rounds
