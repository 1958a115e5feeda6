// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COMMON_HTTP_RAW_RECEIVER_H_
#define TESTS_UNIT_COMMON_HTTP_RAW_RECEIVER_H_

// Somebody who listens on loopback and speaks HTTP badly, until the test ends.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "common/base/check.h"

namespace entente {

class RawReceiver {
 public:
  enum class Manner {
    kHangs,        // Takes the request and says nothing.
    kCloses,       // Takes the connection and closes it.
    kDrips,        // Sends a header that goes on for ever, a byte at a time.
    kEndlessHead,  // Sends headers as fast as it can.
  };

  explicit RawReceiver(Manner manner) : manner_(manner) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    ENTENTE_CHECK(bind(listener_, any, size) == 0 && listen(listener_, 8) == 0);
    ENTENTE_CHECK(getsockname(listener_, any, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~RawReceiver() {
    stops_ = true;
    thread_.join();
    close(listener_);
  }

  int port() const { return port_; }
  void WaitForConnection() const { connected_.WaitForNotification(); }

 private:
  // Whether there is something to read (or a caller) before the test ends.
  bool WaitFor(int descriptor) const {
    while (!stops_) {
      pollfd ready = {.fd = descriptor, .events = POLLIN, .revents = 0};
      if (poll(&ready, 1, 10) > 0) return true;
    }
    return false;
  }

  void Serve() {
    while (WaitFor(listener_)) {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      if (!connected_.HasBeenNotified()) connected_.Notify();
      if (manner_ != Manner::kCloses) Answer(connection);
      close(connection);
    }
  }

  void Answer(int connection) const {
    bool alive = manner_ == Manner::kHangs || Send(connection, "HTTP/1.1 200 OK\r\nX: ");
    const std::string header = "X: " + std::string(1000, 'x') + "\r\n";
    while (alive && !stops_) {
      if (manner_ == Manner::kEndlessHead) {
        alive = Send(connection, "\r\n" + header + "Y: ");
        continue;
      }
      if (manner_ == Manner::kDrips) alive = Send(connection, "x");
      pollfd gone = {.fd = connection, .events = POLLRDHUP, .revents = 0};
      if (poll(&gone, 1, 20) > 0) return;
    }
  }

  static bool Send(int connection, const std::string& text) {
    return send(connection, text.data(), text.size(), MSG_NOSIGNAL) == ssize_t(text.size());
  }

  const Manner manner_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stops_{false};
  absl::Notification connected_;
  std::thread thread_;
};

}  // namespace entente

#endif  // TESTS_UNIT_COMMON_HTTP_RAW_RECEIVER_H_
