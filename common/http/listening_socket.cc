// SPDX-License-Identifier: Apache-2.0
#include "common/http/listening_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente::http {
namespace {

constexpr int kBacklog = 128;

absl::Status CannotListen(absl::string_view listen, const char* why) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", listen, " for HTTP: ", why,
                                             "; change `http.listen`, or set it to off"));
}

int PortOf(int socket) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

absl::StatusOr<ListeningSocket::HostPort> ListeningSocket::Parse(absl::string_view listen) {
  const size_t colon = listen.rfind(':');
  HostPort parsed;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &parsed.port) || parsed.port < 0 ||
      parsed.port > 65'535) {
    return absl::InvalidArgumentError(absl::StrCat("`http.listen` is \"", listen,
                                                   "\"; it must be host:port, such as "
                                                   "127.0.0.1:7480, or off"));
  }
  absl::string_view host = listen.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  parsed.host = std::string(host);
  return parsed;
}

absl::StatusOr<ListeningSocket> ListeningSocket::Open(const std::string& listen) {
  ENTENTE_ASSIGN_OR_RETURN(const HostPort where, Parse(listen));
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int lookup =
      getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
  if (lookup != 0) return CannotListen(listen, gai_strerror(lookup));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  const int fd =
      socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, found->ai_protocol);
  if (fd < 0) return CannotListen(listen, std::strerror(errno));
  // Not SO_REUSEPORT: a second program would silently share the port.
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd, kBacklog) != 0) {
    const absl::Status status = CannotListen(listen, std::strerror(errno));
    close(fd);
    return status;
  }
  return ListeningSocket(fd, PortOf(fd));
}

ListeningSocket::~ListeningSocket() {
  if (socket_ >= 0) close(socket_);
}

absl::StatusOr<int> ListeningSocket::Accept() const {
  const int fd = accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
  }
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
    return absl::ResourceExhaustedError(std::strerror(errno));
  }
  return absl::NotFoundError("no connection is waiting");
}

}  // namespace entente::http
