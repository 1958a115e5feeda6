// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RPC_TCP_CONNECTION_H_
#define COMMON_RPC_TCP_CONNECTION_H_

// A plain TCP connection with a deadline on every wait, for connection_probe.h: gRPC makes its own.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace entente {

// Time that no clock adjustment moves.
using Deadline = std::chrono::steady_clock::time_point;

struct HostAndPort {
  std::string host;  // Without the brackets of an IPv6 address.
  std::string port;  // 1 to 65535.
  bool host_is_address = false;
};

// "coordinator.example.org:7443", "192.0.2.1:7443" or "[2001:db8::1]:7443"; else INVALID_ARGUMENT.
absl::StatusOr<HostAndPort> ParseHostAndPort(absl::string_view target);

// Not thread-safe.
class TcpConnection {
 public:
  // Looks the name up and tries each of its addresses in turn.
  //
  // NOT_FOUND: the name does not resolve. UNAVAILABLE: refused, unreachable, or not in time.
  static absl::StatusOr<std::unique_ptr<TcpConnection>> Open(const HostAndPort& where,
                                                             Deadline deadline);
  ~TcpConnection();
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  // UNAVAILABLE if the peer has gone; DEADLINE_EXCEEDED.
  absl::Status Send(absl::string_view data, Deadline deadline);

  // Waits for at least one byte and returns how many came; 0 when the peer has closed. UNAVAILABLE
  // if it broke the connection off; DEADLINE_EXCEEDED.
  absl::StatusOr<size_t> Receive(absl::Span<char> buffer, Deadline deadline);

 private:
  explicit TcpConnection(int fd) : fd_(fd) {}

  const int fd_;  // Non-blocking.
};

}  // namespace entente

#endif  // COMMON_RPC_TCP_CONNECTION_H_
