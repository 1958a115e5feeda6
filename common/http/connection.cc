// SPDX-License-Identifier: Apache-2.0
#include "common/http/connection.h"

#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/http/http_limits.h"

namespace entente::http {
namespace {

constexpr size_t kReadBytes = 16 << 10;
constexpr int kReadsAtOnce = 8;  // Then others get their turn.

}  // namespace

Connection::Connection(int socket, TlsPointer tls, absl::Time now)
    : socket_(socket),
      tls_(std::move(tls)),
      is_shaken_(tls_ == nullptr),
      wants_(POLLIN),
      head_bytes_(std::string::npos),
      deadline_(now + limits::kHttpRequestTimeMax) {}

Connection::~Connection() {
  Close();
  close(socket_);
}

void Connection::Close() {
  phase_ = Phase::kClosed;
  if (stream_ != nullptr) stream_->Close();
}

int16_t Connection::PollEvents() const {
  switch (phase_) {
    case Phase::kReading:
    case Phase::kWriting:
    case Phase::kLingering:
      return wants_;
    case Phase::kStreaming:
      // Nothing is expected from it but that it goes.
      return static_cast<int16_t>(out_.empty() ? POLLIN : POLLIN | POLLOUT);
    case Phase::kAnswering:
    case Phase::kClosed:
      return 0;
  }
  return 0;
}

Connection::Io Connection::TlsResult(int result) {
  if (result > 0) return Io::kDone;
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wants_ = POLLIN;
      return Io::kWait;
    case SSL_ERROR_WANT_WRITE:
      wants_ = POLLOUT;
      return Io::kWait;
    default:
      return Io::kEnd;
  }
}

Connection::Io Connection::Shake() {
  ERR_clear_error();
  const Io io = TlsResult(SSL_do_handshake(tls_.get()));
  if (io == Io::kDone) {
    is_shaken_ = true;
    wants_ = POLLIN;
    chain_pem_ = PeerChainOf(*tls_);
  }
  return io;
}

Connection::Io Connection::Read(char* buffer, size_t size, size_t* count) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    return TlsResult(SSL_read_ex(tls_.get(), buffer, size, count));
  }
  const ssize_t got = recv(socket_, buffer, size, 0);
  if (got > 0) {
    *count = static_cast<size_t>(got);
    return Io::kDone;
  }
  wants_ = POLLIN;
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? Io::kWait : Io::kEnd;
}

Connection::Io Connection::Write() {
  while (written_ < out_.size()) {
    const char* const from = out_.data() + written_;
    const size_t left = out_.size() - written_;
    size_t count = 0;
    if (tls_ != nullptr) {
      ERR_clear_error();
      const Io io = TlsResult(SSL_write_ex(tls_.get(), from, left, &count));
      if (io != Io::kDone) return io;
    } else {
      const ssize_t sent = send(socket_, from, left, MSG_NOSIGNAL);
      wants_ = POLLOUT;
      if (sent < 0) return errno == EAGAIN || errno == EINTR ? Io::kWait : Io::kEnd;
      count = static_cast<size_t>(sent);
    }
    written_ += count;
  }
  out_.clear();
  written_ = 0;
  return Io::kDone;
}

void Connection::GoOn(absl::Time now) {
  if (!is_shaken_) {
    const Io io = Shake();
    if (io == Io::kEnd) Close();
    if (io != Io::kDone) return;
  }
  switch (phase_) {
    case Phase::kReading:
      return ReadMore(now);
    case Phase::kWriting:
      return WriteMore(now);
    case Phase::kStreaming:
      return SendEvents(now);
    case Phase::kLingering:
      return Linger();
    case Phase::kAnswering:
    case Phase::kClosed:
      return;
  }
}

void Connection::ReadMore(absl::Time now) {
  char buffer[kReadBytes];
  while (head_bytes_ == std::string::npos) {
    if (in_.size() >= limits::kHttpHeadBytesMax) {
      return Refuse(431, "the request's headers are longer than 32 KiB", now);
    }
    size_t count = 0;
    const Io io = Read(buffer, sizeof(buffer), &count);
    if (io == Io::kEnd) return Close();
    if (io == Io::kWait) return;
    if (is_awaited_) {
      is_awaited_ = false;
      deadline_ = std::min(deadline_, now + limits::kHttpRequestTimeMax);
    }
    // The end of the head may lie across what was there and what has come.
    const size_t from = in_.size() < 3 ? 0 : in_.size() - 3;
    in_.append(buffer, count);
    const size_t end = HeadEnd(absl::string_view(in_).substr(from));
    if (end != absl::string_view::npos) head_bytes_ = from + end;
  }
}

std::string Connection::TakeRequest() {
  if (phase_ != Phase::kReading || head_bytes_ == std::string::npos) return "";
  std::string head = in_.substr(0, head_bytes_);
  in_.erase(0, head_bytes_);
  head_bytes_ = HeadEnd(in_);
  phase_ = Phase::kAnswering;
  deadline_ = absl::InfiniteFuture();
  return head;
}

void Connection::GiveAnswer(Answer answer, std::shared_ptr<EventStream> stream, absl::Time now) {
  out_ = std::move(answer.bytes);
  written_ = 0;
  keeps_open_ = answer.keeps_open;
  stream_ = std::move(stream);
  phase_ = Phase::kWriting;
  deadline_ = now + limits::kHttpWriteTimeMax;
  WriteMore(now);
}

void Connection::Refuse(int status, absl::string_view sentence, absl::Time now) {
  GiveAnswer({.bytes = RefusalBytes(status, sentence)}, nullptr, now);
}

void Connection::WriteMore(absl::Time now) {
  const size_t before = written_;
  const Io io = Write();
  if (io == Io::kEnd) return Close();
  if (io == Io::kDone) return AfterWriting(now);
  if (written_ > before) deadline_ = now + limits::kHttpWriteTimeMax;
}

void Connection::AfterWriting(absl::Time now) {
  wants_ = POLLIN;
  if (stream_ != nullptr) {
    phase_ = Phase::kStreaming;
    deadline_ = now + limits::kHttpEventSilenceMax;
    stream_ends_at_ = now + limits::kHttpEventStreamTimeMax;
    return SendEvents(now);
  }
  if (keeps_open_) {
    phase_ = Phase::kReading;
    is_awaited_ = in_.empty();
    deadline_ = now + limits::kHttpIdleTimeMax;
    return ReadMore(now);
  }
  // Closed at once, with bytes of the browser unread, the answer might never be seen by it.
  phase_ = Phase::kLingering;
  deadline_ = now + limits::kHttpLingerTimeMax;
  if (tls_ != nullptr) SSL_shutdown(tls_.get());
  shutdown(socket_, SHUT_WR);
}

void Connection::SendEvents(absl::Time now) {
  char ignored[kReadBytes];
  size_t count = 0;
  Io io = Io::kDone;
  for (int i = 0; i < kReadsAtOnce && io == Io::kDone; ++i) {
    io = Read(ignored, sizeof(ignored), &count);
  }
  if (io == Io::kEnd || !stream_->open()) return Close();
  const size_t before = written_;
  bool has_sent = false;
  do {
    if (out_.empty()) out_ = stream_->Take();
    if (out_.empty()) break;
    io = Write();
    if (io == Io::kEnd) return Close();
    has_sent = has_sent || io == Io::kDone || written_ > before;
  } while (io == Io::kDone);
  if (has_sent) {
    deadline_ = now + (out_.empty() ? limits::kHttpEventSilenceMax : limits::kHttpWriteTimeMax);
  }
}

void Connection::Linger() {
  char ignored[kReadBytes];
  for (int i = 0; i < kReadsAtOnce; ++i) {
    // What comes is nobody's; with TLS not even worth deciphering.
    const ssize_t got = recv(socket_, ignored, sizeof(ignored), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return Close();
    if (got < 0) return;
  }
}

void Connection::CloseIfOverdue(absl::Time now) {
  if (phase_ == Phase::kStreaming && now >= stream_ends_at_) return Close();
  if (now < deadline_) return;
  if (phase_ != Phase::kStreaming || !out_.empty()) return Close();
  out_ = ":\n\n";  // A comment, so that a browser that is gone is noticed.
  deadline_ = now + limits::kHttpWriteTimeMax;
  SendEvents(now);
}

}  // namespace entente::http
