// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COMMON_HTTP_HTTP_CLIENT_H_
#define TESTS_UNIT_COMMON_HTTP_HTTP_CLIENT_H_

// A browser that sends what it is told, byte by byte, over a plain socket on loopback. Waits at
// most 30 s for anything.

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/check.h"

namespace entente::http {

class HttpClient {
 public:
  explicit HttpClient(int port, int receive_bytes = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ENTENTE_CHECK(socket_ >= 0);
    if (receive_bytes > 0) {
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    }
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ENTENTE_CHECK(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  }
  ~HttpClient() { close(socket_); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  int descriptor() const { return socket_; }

  void Send(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // Cut off; the answer shows why.
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  void Get(absl::string_view path, absl::string_view headers = "") {
    Send(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\n", headers, "\r\n"));
  }

  // Everything up to the first `text`, which is included; what there was if the server closes
  // first. Later reads go on behind it.
  std::string ReadUntil(const std::string& text) {
    size_t at = 0;
    while ((at = received_.find(text)) == std::string::npos && ReadSome()) continue;
    const size_t end = at == std::string::npos ? received_.size() : at + text.size();
    std::string read = received_.substr(0, end);
    received_.erase(0, end);
    return read;
  }

  // Until the server closes.
  std::string ReadAll() {
    while (ReadSome()) continue;
    return std::exchange(received_, {});
  }

  // One answer with a Content-Length: its head and body.
  std::string ReadAnswer() {
    std::string head = ReadUntil("\r\n\r\n");
    const size_t at = head.find("Content-Length: ");
    size_t length = 0;
    if (at != std::string::npos) {
      const size_t from = at + 16;
      ENTENTE_CHECK(absl::SimpleAtoi(head.substr(from, head.find('\r', from) - from), &length));
    }
    while (received_.size() < length && ReadSome()) continue;
    head += received_.substr(0, length);
    received_.erase(0, length);
    return head;
  }

 private:
  bool ReadSome() {
    pollfd wait = {socket_, POLLIN, 0};
    ENTENTE_CHECK(poll(&wait, 1, 30'000) == 1);
    char buffer[4096];
    const ssize_t got = recv(socket_, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    received_.append(buffer, static_cast<size_t>(got));
    return true;
  }

  const int socket_;
  std::string received_;
};

}  // namespace entente::http

#endif  // TESTS_UNIT_COMMON_HTTP_HTTP_CLIENT_H_
