// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_CALLS_H_
#define SIM_CALLS_H_

// The coordinator's end of the workers' calls: what coordinator/service does over gRPC, over the
// simulated network instead. One thread.

#include <functional>
#include <memory>
#include <string>

#include "common/base/strong_id.h"
#include "coordinator/service/service_context.h"
#include "sim/machine.h"
#include "sim/network.h"
#include "sim/trace.h"

namespace entente::sim {

// What the calls share; all borrowed.
struct CallContext {
  const service::ServiceContext* service = nullptr;
  Process* process = nullptr;
  Trace* trace = nullptr;
  uint64_t chunk_bytes = 64;  // Of a download.
};

// One call under way.
class Call {
 public:
  virtual ~Call() = default;
};

// `on_over` is called once, last, never on the stack of MakeCall; then the call may be destroyed,
// though not on that stack. Null for a method that there is not.
std::shared_ptr<Call> MakeCall(const CallContext& context, const std::string& method, int machine,
                               const WorkerId& worker, std::unique_ptr<Stream> stream,
                               std::function<void()> on_over);

}  // namespace entente::sim

#endif  // SIM_CALLS_H_
