// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/tcp_connection.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/memory/memory.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/status_macros.h"
#include "common/base/steady_cond_var.h"

namespace entente {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

milliseconds Remaining(Deadline deadline) {
  return std::max(milliseconds(0),
                  duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now()));
}

// Whether `fd` is ready for `events` by then.
bool WaitFor(int fd, short events, Deadline deadline) {
  while (true) {
    pollfd entry = {.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&entry, 1, static_cast<int>(Remaining(deadline).count()));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool IsAddress(const std::string& host) {
  std::array<char, sizeof(in6_addr)> ignored;
  return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

// What a look-up found. Shared with its thread, which may outlast the wait for it.
struct Lookup {
  ~Lookup() {
    if (addresses != nullptr) freeaddrinfo(addresses);
  }

  void SetDone() ABSL_LOCKS_EXCLUDED(mu) {
    absl::MutexLock lock(&mu);
    is_done = true;
    became_done.SignalAll();
  }
  // Whether it is done by then.
  bool AwaitDone(Deadline deadline) ABSL_LOCKS_EXCLUDED(mu) {
    absl::MutexLock lock(&mu);
    return became_done.AwaitFor(&mu, absl::FromChrono(Remaining(deadline)),
                                [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) { return is_done; });
  }

  // Its thread's alone until it is done, and constant from then on.
  int error = 0;
  addrinfo* addresses = nullptr;

  absl::Mutex mu;
  SteadyCondVar became_done;
  bool is_done ABSL_GUARDED_BY(mu) = false;
};

absl::StatusOr<std::shared_ptr<const Lookup>> LookUp(const HostAndPort& where, Deadline deadline) {
  auto lookup = std::make_shared<Lookup>();
  // getaddrinfo(3) has no deadline of its own; an unreachable name server costs it many seconds.
  std::thread([lookup, where] {
    addrinfo hints = {};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | (where.host_is_address ? AI_NUMERICHOST : 0);
    lookup->error = getaddrinfo(where.host.c_str(), where.port.c_str(), &hints, &lookup->addresses);
    lookup->SetDone();
  }).detach();
  if (!lookup->AwaitDone(deadline)) {
    return absl::UnavailableError(absl::StrCat(
        "looking up ", where.host, " takes too long; is this machine's name server reachable?"));
  }
  if (lookup->error != 0) {
    return absl::NotFoundError(absl::StrCat("the name ", where.host, " does not resolve (",
                                            gai_strerror(lookup->error),
                                            "); check its spelling and this machine's DNS"));
  }
  return lookup;
}

// A connected socket, or -1 and the error in `error`.
int ConnectTo(const addrinfo& address, Deadline deadline, int* error) {
  const int fd = socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                        address.ai_protocol);
  if (fd < 0) {
    *error = errno;
    return -1;
  }
  *error = connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (*error == EINPROGRESS) {
    *error = ETIMEDOUT;
    if (WaitFor(fd, POLLOUT, deadline)) {
      socklen_t size = sizeof(*error);
      if (getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &size) != 0) *error = errno;
    }
  }
  if (*error == 0) return fd;
  close(fd);
  return -1;
}

absl::Status ConnectError(const HostAndPort& where, int error) {
  const std::string target = absl::StrCat(where.host, " port ", where.port);
  if (error == ECONNREFUSED) {
    return absl::UnavailableError(absl::StrCat(
        target, " refuses connections; is the coordinator running there, and is the port right?"));
  }
  if (error == ETIMEDOUT) {
    return absl::UnavailableError(absl::StrCat(
        target, " does not answer in time; a firewall on the way may drop connections to it"));
  }
  return absl::UnavailableError(absl::StrCat(target, " cannot be reached: ", std::strerror(error),
                                             "; check this machine's network"));
}

}  // namespace

absl::StatusOr<HostAndPort> ParseHostAndPort(absl::string_view target) {
  const absl::Status malformed = absl::InvalidArgumentError(
      absl::StrCat("\"", absl::CHexEscape(target.substr(0, 100)),
                   "\" is not host:port, such as coordinator.example.org:7443"));
  const size_t colon = target.rfind(':');
  if (colon == absl::string_view::npos) return malformed;
  HostAndPort where = {.host = std::string(target.substr(0, colon)),
                       .port = std::string(target.substr(colon + 1))};
  const bool bracketed =
      where.host.size() > 2 && where.host.front() == '[' && where.host.back() == ']';
  if (bracketed) where.host = where.host.substr(1, where.host.size() - 2);
  where.host_is_address = IsAddress(where.host);

  const bool is_ipv6 = where.host.find(':') != std::string::npos;
  const bool host_fits = !where.host.empty() && where.host.size() <= 253 && is_ipv6 == bracketed &&
                         (!is_ipv6 || where.host_is_address) &&
                         where.host.find_first_of("/@[] \t\n") == std::string::npos;
  int port = 0;
  const bool port_fits = where.port.find_first_not_of("0123456789") == std::string::npos &&
                         absl::SimpleAtoi(where.port, &port) && port >= 1 && port <= 65535;
  if (!host_fits || !port_fits) return malformed;
  return where;
}

absl::StatusOr<std::unique_ptr<TcpConnection>> TcpConnection::Open(const HostAndPort& where,
                                                                   Deadline deadline) {
  ENTENTE_ASSIGN_OR_RETURN(const std::shared_ptr<const Lookup> lookup, LookUp(where, deadline));
  int left = 0;
  for (const addrinfo* a = lookup->addresses; a != nullptr; a = a->ai_next) ++left;
  int error = ETIMEDOUT;
  for (const addrinfo* a = lookup->addresses; a != nullptr; a = a->ai_next, --left) {
    // A share of the time each: one silent address must not use up what the others need.
    const Deadline share = std::chrono::steady_clock::now() + Remaining(deadline) / left;
    const int fd = ConnectTo(*a, share, &error);
    if (fd >= 0) return absl::WrapUnique(new TcpConnection(fd));
  }
  return ConnectError(where, error);
}

TcpConnection::~TcpConnection() { close(fd_); }

absl::Status TcpConnection::Send(absl::string_view data, Deadline deadline) {
  while (!data.empty()) {
    const ssize_t sent = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      data.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!WaitFor(fd_, POLLOUT, deadline)) return absl::DeadlineExceededError("not sent in time");
    } else if (errno != EINTR) {
      return absl::UnavailableError(std::strerror(errno));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> TcpConnection::Receive(absl::Span<char> buffer, Deadline deadline) {
  while (true) {
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno == EAGAIN) {
      if (!WaitFor(fd_, POLLIN, deadline))
        return absl::DeadlineExceededError("nothing came in time");
    } else if (errno != EINTR) {
      return absl::UnavailableError(std::strerror(errno));
    }
  }
}

}  // namespace entente
