// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_OPTIMIZER_STATE_LAYOUT_H_
#define COORDINATOR_OPTIMIZER_STATE_LAYOUT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/tensor/layout.h"

namespace entente::optimizer {

// The file that keeps an optimizer's state between rounds: for each of `state_names`, sorted, the
// model's floating-point tensors as "<state>/<tensor>", e.g. "m/fc.weight"; state s of
// floating-point tensor t is tensor s * (number of floating-point tensors) + t of the layout.
//
// F64, as the optimizer computes, so that stopping and starting between rounds changes no bit. In
// F32 FedAdagrad's v, a sum over all rounds, would stop growing once a round's share is under
// 2^-24 of it.
//
// INVALID_ARGUMENT if a tensor's name is too long for the prefix.
absl::StatusOr<Layout> StateLayout(const Layout& model,
                                   absl::Span<const absl::string_view> state_names);

}  // namespace entente::optimizer

#endif  // COORDINATOR_OPTIMIZER_STATE_LAYOUT_H_
