// SPDX-License-Identifier: Apache-2.0
#include "sim/network.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "absl/strings/str_cat.h"

namespace entente::sim {
namespace {

constexpr int kClient = 0;
constexpr int kServer = 1;
constexpr absl::Duration kDialWait = absl::Seconds(20);

absl::Status Broken() { return absl::UnavailableError("the connection broke"); }

}  // namespace

// What both ends share.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Network* network, int machine) : network_(*network), machine_(machine) {}

  struct Frame {
    std::string message;
    std::optional<absl::Status> end;
  };

  void Listen(int side, StreamEvents events) { ends_[side].events = std::move(events); }

  void Send(int side, Frame frame) {
    End& end = ends_[side];
    if (end.is_gone || end.is_over || end.has_ended || end.is_cut) return;
    end.has_ended = frame.end.has_value();
    Chance& chance = network_.scheduler_.chance();
    if (chance.Happens(network_.faults.message_breaks)) return Break(side);
    absl::Duration latency = chance.Between(absl::Milliseconds(1), absl::Milliseconds(80));
    if (chance.Happens(network_.faults.message_delayed)) {
      latency += chance.Between(absl::ZeroDuration(), network_.faults.delay_max);
    }
    end.arrives_at = std::max(end.arrives_at, network_.scheduler_.now() + latency);
    end.in_flight.push_back(std::move(frame));
    ScheduleDelivery(side, end.arrives_at);
  }

  void Leave(int side) {
    End& end = ends_[side];
    end.is_gone = true;
    end.events = {};
    Chance& chance = network_.scheduler_.chance();
    if (end.is_over || ends_[1 - side].is_gone) return;
    if (side == kServer && end.has_ended) return;  // Its status is on the way.
    // A closed socket says so; a machine without power does not, until somebody asks it.
    TellBroken(1 - side, chance.Happens(0.8)
                             ? chance.Between(absl::Milliseconds(1), absl::Milliseconds(200))
                             : chance.Between(absl::Seconds(1), absl::Minutes(3)));
  }

  // The call has reached the coordinator.
  void Arrive(const std::string& method) {
    const absl::Time blocked = network_.BlockedUntil(machine_, kClient);
    if (blocked > network_.scheduler_.now() || network_.listener_ == nullptr) {
      ends_[kServer].is_gone = true;
      TellBroken(kClient, network_.listener_ == nullptr ? absl::Milliseconds(5) : kDialWait);
      return;
    }
    network_.listener_(method, machine_, std::make_unique<Stream>(shared_from_this(), kServer));
  }

  void ReserveDial(absl::Time arrival) { ends_[kClient].arrives_at = arrival; }

 private:
  struct End {
    StreamEvents events;
    bool is_gone = false;    // Destroyed.
    bool is_over = false;    // Was told the end of the connection.
    bool has_ended = false;  // Has said its last word.
    bool is_cut = false;     // What it sends is lost.
    absl::Time arrives_at;   // Of its newest message: none overtakes another.
    std::deque<Frame> in_flight;
  };

  void ScheduleDelivery(int side, absl::Time at) {
    network_.scheduler_.At(at, [self = shared_from_this(), side] { self->Deliver(side); });
  }

  void Deliver(int side) {
    End& from = ends_[side];
    End& to = ends_[1 - side];
    if (from.in_flight.empty()) return;
    const absl::Time blocked = network_.BlockedUntil(machine_, side);
    if (blocked > network_.scheduler_.now()) {
      from.arrives_at = std::max(from.arrives_at, blocked);
      return ScheduleDelivery(side, blocked);
    }
    Frame frame = std::move(from.in_flight.front());
    from.in_flight.pop_front();
    if (to.is_over) return;
    if (to.is_gone) {  // The answer is a reset.
      if (!from.is_gone) TellBroken(side, absl::Milliseconds(20));
      return;
    }
    if (!frame.end.has_value()) {
      const auto on_message = to.events.on_message;
      if (on_message) on_message(std::move(frame.message));
      return;
    }
    // A client that has said everything still listens.
    if (side == kServer) {
      to.is_over = true;
      from.is_over = true;
    }
    const auto on_end = to.events.on_end;
    if (on_end) on_end(*frame.end);
  }

  void Break(int side) {
    ++network_.breaks_;
    Chance& chance = network_.scheduler_.chance();
    ends_[side].is_cut = true;
    if (chance.Happens(0.5)) ends_[1 - side].is_cut = true;
    for (const int each : {kClient, kServer}) {
      TellBroken(each, chance.Happens(0.7) ? chance.Between(absl::Milliseconds(1), absl::Seconds(2))
                                           : chance.Between(absl::Seconds(1), absl::Minutes(2)));
    }
  }

  void TellBroken(int side, absl::Duration pause) {
    network_.scheduler_.After(pause, [self = shared_from_this(), side] {
      End& end = self->ends_[side];
      if (end.is_gone || end.is_over) return;
      end.is_over = true;
      end.is_cut = true;
      const auto on_end = end.events.on_end;
      if (on_end) on_end(Broken());
    });
  }

  Network& network_;
  const int machine_;
  End ends_[2];
};

Stream::Stream(std::shared_ptr<Connection> connection, int side)
    : connection_(std::move(connection)), side_(side) {}

Stream::~Stream() { connection_->Leave(side_); }

void Stream::Listen(StreamEvents events) { connection_->Listen(side_, std::move(events)); }

void Stream::Send(std::string message) {
  connection_->Send(side_, {.message = std::move(message), .end = std::nullopt});
}

void Stream::End(const absl::Status& status) {
  connection_->Send(side_, {.message = "", .end = status});
}

std::unique_ptr<Stream> Network::Connect(int machine, const std::string& method) {
  auto connection = std::make_shared<Connection>(this, machine);
  const absl::Time arrival =
      scheduler_.now() + scheduler_.chance().Between(absl::Milliseconds(1), absl::Milliseconds(80));
  connection->ReserveDial(arrival + absl::Nanoseconds(1));
  scheduler_.At(arrival, [connection, method] { connection->Arrive(method); });
  return std::make_unique<Stream>(std::move(connection), kClient);
}

void Network::Partition(int machine, absl::Time until, int one_way) {
  for (const int direction : {kClient, kServer}) {
    if (one_way >= 0 && one_way != direction) continue;
    absl::Time& blocked = blocked_until_[{machine, direction}];
    blocked = std::max(blocked, until);
  }
}

absl::Time Network::BlockedUntil(int machine, int direction) const {
  const auto it = blocked_until_.find({machine, direction});
  return it == blocked_until_.end() ? absl::InfinitePast() : it->second;
}

}  // namespace entente::sim
