// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_CONTROL_SENDER_H_
#define WORKER_SESSION_CONTROL_SENDER_H_

#include "entente/v1/worker_service.pb.h"

namespace entente::worker {

// The way to the coordinator for small messages. Thread-safe.
class ControlSender {
 public:
  virtual ~ControlSender() = default;

  // Queues the message; never waits. It is lost if the worker is not attached: the coordinator
  // resends what it still wants after every attachment, and the answer is given again then.
  virtual void Send(v1::WorkerMessage message) = 0;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_CONTROL_SENDER_H_
