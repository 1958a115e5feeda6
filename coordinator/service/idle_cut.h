// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_IDLE_CUT_H_
#define COORDINATOR_SERVICE_IDLE_CUT_H_

// Cuts a call whose peer keeps it waiting for too long, with a status that the peer sees: the read
// or write in flight then fails, and its end finishes the call.

#include <grpcpp/grpcpp.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/executor.h"
#include "common/base/log.h"
#include "coordinator/service/idle_watch.h"
#include "coordinator/service/service_context.h"

namespace entente::service {

// Part of a reactor that finishes its call on `executor` alone, its own serial one: so a call is
// never cut when it may be gone already. After Stop, which OnDone calls, a task may still be queued
// on `executor`; the reactor must outlive it.
class IdleCut {
 public:
  // After context.transfer_idle_max. All borrowed. `what` begins the reason, e.g. "the sender sent
  // nothing".
  IdleCut(const ServiceContext& context, grpc::CallbackServerContext* call, Executor* executor,
          absl::string_view what);
  // The same after `limit`, with `advice` at the reason's end.
  IdleCut(const ServiceContext& context, grpc::CallbackServerContext* call, Executor* executor,
          absl::string_view what, absl::Duration limit, absl::string_view advice);

  // On `executor`: whose transfer it is, for the log.
  void SetLogFields(std::vector<log::Field> fields) { log_fields_ = std::move(fields); }

  // On `executor`, or before the call has begun: a read or write is about to start.
  void BeginWait() { watch_.BeginWait(); }
  // On any thread: it has ended.
  void EndWait() { watch_.EndWait(); }
  void Stop() { watch_.Stop(); }

  // On `executor`: DEADLINE_EXCEEDED with the reason if the call was cut, or OK.
  const absl::Status& status() const { return status_; }

 private:
  void Cut();

  grpc::CallbackServerContext& call_;
  Executor& executor_;
  const std::string reason_;
  absl::Status status_;                 // Touched on the executor only.
  std::vector<log::Field> log_fields_;  // Likewise.
  IdleWatch watch_;
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_IDLE_CUT_H_
