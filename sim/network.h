// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_NETWORK_H_
#define SIM_NETWORK_H_

// The network between the coordinator (machine 0) and the workers. A connection is what a gRPC call
// on TCP is: an ordered stream of messages each way that can break, and what is in flight when it
// breaks is lost. So nothing is ever reordered or doubled within a connection. Across connections
// everything is: the two ends learn of a break at different times, minutes apart if they are
// unlucky, and messages of an old connection arrive after those of the new one that replaced it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sim/scheduler.h"

namespace entente::sim {

struct NetworkFaults {
  double message_breaks = 0;   // Each message: the connection breaks, and it is lost.
  double message_delayed = 0;  // Each message: it takes up to `delay_max`, and all after it.
  absl::Duration delay_max = absl::Seconds(30);
};

// What an end of a connection is told.
struct StreamEvents {
  std::function<void(std::string)> on_message;
  // Once, the last thing. OK from the client: it sends nothing more, but listens. From the server:
  // its status. UNAVAILABLE: the connection broke.
  std::function<void(const absl::Status&)> on_end;
};

class Connection;

// One end of a connection. Gone with its destruction: then it is told nothing more, and the other
// end learns that some time.
class Stream {
 public:
  Stream(std::shared_ptr<Connection> connection, int side);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Before the first message can come: on the stack of Connect's or the listener's call.
  void Listen(StreamEvents events);

  void Send(std::string message);
  // The last word: of a client that it has sent all, of a server its status.
  void End(const absl::Status& status);

 private:
  const std::shared_ptr<Connection> connection_;  // Shared with the other end and messages' events.
  const int side_;
};

class Network {
 public:
  // Takes a call: what is called, which machine calls, and the server's end.
  using Listener =
      std::function<void(const std::string& method, int machine, std::unique_ptr<Stream> stream)>;

  // `scheduler` is borrowed.
  explicit Network(Scheduler* scheduler) : scheduler_(*scheduler) {}

  NetworkFaults faults;

  // Connections broken so far.
  uint64_t breaks() const { return breaks_; }

  // Who takes calls at the coordinator; null while it is down.
  void SetListener(Listener listener) { listener_ = std::move(listener); }

  // The client's end of a new call of the coordinator.
  std::unique_ptr<Stream> Connect(int machine, const std::string& method);

  // Nothing of what is sent between the coordinator and the machine arrives before then; in one
  // direction only if `one_way` is 0 (to the coordinator) or 1 (from it).
  void Partition(int machine, absl::Time until, int one_way = -1);
  void HealAll() { blocked_until_.clear(); }

 private:
  friend class Connection;

  absl::Time BlockedUntil(int machine, int direction) const;

  Scheduler& scheduler_;
  Listener listener_;
  std::map<std::pair<int, int>, absl::Time> blocked_until_;  // By machine and direction.
  uint64_t breaks_ = 0;
};

}  // namespace entente::sim

#endif  // SIM_NETWORK_H_
