// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/idle_cut.h"

#include <grpc/grpc.h>

#include "absl/strings/str_cat.h"

namespace entente::service {

IdleCut::IdleCut(const ServiceContext& context, grpc::CallbackServerContext* call,
                 Executor* executor, absl::string_view what)
    : IdleCut(context, call, executor, what, context.transfer_idle_max,
              " (limits.transferIdleMax); what has come stays: go on from there") {}

IdleCut::IdleCut(const ServiceContext& context, grpc::CallbackServerContext* call,
                 Executor* executor, absl::string_view what, absl::Duration limit,
                 absl::string_view advice)
    : call_(*call),
      executor_(*executor),
      reason_(absl::StrCat(what, " for ", absl::FormatDuration(limit), advice)),
      watch_(context.steady_clock, context.pauses, limit,
             [this] { executor_.Post([this] { Cut(); }); }) {}

void IdleCut::Cut() {
  // If the peer moved in the meantime, or the call is finished, nobody waits any more. If it moves
  // now, what that leads to is queued behind this.
  if (!watch_.IsOverdue()) return;
  status_ = absl::DeadlineExceededError(reason_);
  const log::Scope scope(log_fields_);
  log::Warning("a transfer is cut off", {{"peer", call_.peer()}, {"reason", reason_}});
  // Not TryCancel: the peer would read of it no more than that it was cancelled. And Finish waits
  // until the peer has read what was sent before, which is just what it does not do.
  grpc_call_cancel_with_status(call_.c_call(), GRPC_STATUS_DEADLINE_EXCEEDED, reason_.c_str(),
                               nullptr);
}

}  // namespace entente::service
