// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COMMON_RPC_PLAIN_LISTENER_H_
#define TESTS_UNIT_COMMON_RPC_PLAIN_LISTENER_H_

// A socket on loopback that hands its first connection to a function on a thread of its own.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"

namespace entente {

class PlainListener {
 public:
  // `serve` gets the connection, which is closed after it; null: nobody accepts.
  explicit PlainListener(std::function<void(int fd)> serve) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    ENTENTE_CHECK(fd_ >= 0 && bind(fd_, generic, size) == 0 && listen(fd_, 4) == 0 &&
                  getsockname(fd_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    if (serve == nullptr) return;
    thread_ = std::thread([this, serve = std::move(serve)] {
      const int connection = accept(fd_, nullptr, nullptr);
      if (connection < 0) return;  // Shut down without a visitor.
      serve(connection);
      shutdown(connection, SHUT_WR);
      char rest[256];
      while (recv(connection, rest, sizeof(rest), 0) > 0) {  // Closing now would reset.
      }
      close(connection);
    });
  }
  ~PlainListener() {
    shutdown(fd_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    close(fd_);
  }
  PlainListener(const PlainListener&) = delete;
  PlainListener& operator=(const PlainListener&) = delete;

  std::string target() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  const int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port_ = 0;
  std::thread thread_;
};

// A port on loopback where nobody listens.
inline std::string RefusingTarget() { return PlainListener(nullptr).target(); }

}  // namespace entente

#endif  // TESTS_UNIT_COMMON_RPC_PLAIN_LISTENER_H_
