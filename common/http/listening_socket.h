// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_LISTENING_SOCKET_H_
#define COMMON_HTTP_LISTENING_SOCKET_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entente::http {

// A TCP port that takes connections.
class ListeningSocket {
 public:
  struct HostPort {
    std::string host;  // Without the brackets of an IPv6 address.
    int port = 0;
  };
  // INVALID_ARGUMENT unless it is host:port, such as 127.0.0.1:7480, localhost:0 or [::1]:7480.
  static absl::StatusOr<HostPort> Parse(absl::string_view listen);

  // INVALID_ARGUMENT as Parse; UNAVAILABLE: the port is in use, or the address is not this
  // machine's.
  static absl::StatusOr<ListeningSocket> Open(const std::string& listen);
  ~ListeningSocket();
  ListeningSocket(ListeningSocket&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), port_(other.port_) {}
  ListeningSocket& operator=(ListeningSocket&&) = delete;

  // The next connection's socket, non-blocking and the caller's. NOT_FOUND if there is none now;
  // RESOURCE_EXHAUSTED if the process or the machine has no descriptor for it.
  absl::StatusOr<int> Accept() const;

  int port() const { return port_; }
  int descriptor() const { return socket_; }

 private:
  ListeningSocket(int socket, int port) : socket_(socket), port_(port) {}

  int socket_;
  int port_;
};

}  // namespace entente::http

#endif  // COMMON_HTTP_LISTENING_SOCKET_H_
