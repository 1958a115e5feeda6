// SPDX-License-Identifier: Apache-2.0
#include "common/http/connection_loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/http/http_limits.h"

namespace entente::http {
namespace {

constexpr int kTickMilliseconds = 500;  // How late a deadline is noticed at most.
constexpr int kAcceptsAtOnce = 64;      // Then the others get their turn.

}  // namespace

Wakeup::Wakeup() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  ENTENTE_CHECK(descriptor_ >= 0);
}

Wakeup::~Wakeup() { close(descriptor_); }

void Wakeup::Rouse() {
  // A hundred streams that are told the same cost one system call.
  if (!is_roused_.exchange(true)) eventfd_write(descriptor_, 1);
}

void Wakeup::Clear() {
  eventfd_t count = 0;
  eventfd_read(descriptor_, &count);
  // After the read: whoever sees it set has its news taken in the round that follows.
  is_roused_ = false;
}

ConnectionLoop::ConnectionLoop(Options options)
    : options_(std::move(options)), pool_(std::make_unique<ThreadPool>(limits::kHttpThreads)) {
  thread_ = std::thread([this] { Run(); });
}

ConnectionLoop::~ConnectionLoop() {
  stopping_ = true;
  wakeup_->Rouse();
  thread_.join();
  connections_.clear();
  pool_.reset();
  absl::MutexLock lock(&mu_);
  for (const Answered& undelivered : answered_) {
    if (undelivered.stream != nullptr) undelivered.stream->Close();
  }
}

void ConnectionLoop::Run() {
  while (!stopping_) {
    WaitForSomething();
    GiveAnswers();
    Sweep();
  }
}

void ConnectionLoop::WaitForSomething() {
  const absl::Time now = options_.clock->Now();
  const bool accepts = now >= accepts_again_at_;
  std::vector<pollfd> waits = {{wakeup_->descriptor(), POLLIN, 0},
                               {accepts ? options_.listener.descriptor() : -1, POLLIN, 0}};
  std::vector<std::pair<uint64_t, Connection*>> polled;
  for (const auto& [id, connection] : connections_) {
    // One that waits for its answer is not looked at: its peer's going would be told without end.
    if (connection->phase() == Connection::Phase::kAnswering) continue;
    waits.push_back({connection->socket(), connection->PollEvents(), 0});
    polled.emplace_back(id, connection.get());
  }
  poll(waits.data(), waits.size(), kTickMilliseconds);
  wakeup_->Clear();
  for (size_t i = 0; i < polled.size(); ++i) {
    const auto [id, connection] = polled[i];
    const bool has_news = connection->phase() == Connection::Phase::kStreaming;
    if (waits[i + 2].revents != 0 || has_news) GoOn(id, connection);
  }
  if (waits[1].revents != 0) AcceptAll();
}

void ConnectionLoop::AcceptAll() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    const absl::Time now = options_.clock->Now();
    const absl::StatusOr<int> socket = options_.listener.Accept();
    if (absl::IsResourceExhausted(socket.status())) {
      log::Warning("no HTTP connections for a second",
                   {{"reason", std::string(socket.status().message())}});
      accepts_again_at_ = now + absl::Seconds(1);
    }
    if (!socket.ok()) return;
    if (connections_.size() >= limits::kHttpConnectionsMax) {
      if (options_.tls == nullptr) {
        const std::string refusal =
            RefusalBytes(503, "too many connections are open; try again later");
        send(*socket, refusal.data(), refusal.size(), MSG_NOSIGNAL);
      }
      close(*socket);
      continue;
    }
    TlsPointer tls;
    if (options_.tls != nullptr) {
      absl::StatusOr<TlsPointer> accepted = options_.tls->Accept(*socket);
      if (!accepted.ok()) {
        close(*socket);
        continue;
      }
      tls = *std::move(accepted);
    }
    connections_.emplace(next_id_++, std::make_unique<Connection>(*socket, std::move(tls), now));
  }
}

void ConnectionLoop::GoOn(uint64_t id, Connection* connection) {
  connection->GoOn(options_.clock->Now());
  std::string head = connection->TakeRequest();
  if (head.empty()) return;
  pool_->Post([this, id, head = std::move(head), chain_pem = connection->chain_pem()]() mutable {
    AnswerOn(id, std::move(head), std::move(chain_pem));
  });
}

void ConnectionLoop::AnswerOn(uint64_t id, std::string head, std::string chain_pem) {
  Answered answered{.connection = id, .answer = options_.answering(head, chain_pem)};
  if (answered.answer.events != nullptr) {
    if (stream_count_.fetch_add(1) >= limits::kHttpEventStreamsMax) {
      --stream_count_;
      answered.answer = {.bytes =
                             RefusalBytes(503, "too many event streams are open; try again later")};
    } else {
      answered.stream = std::make_shared<EventStream>([wakeup = wakeup_] { wakeup->Rouse(); });
      answered.answer.events(answered.stream);
    }
  }
  {
    absl::MutexLock lock(&mu_);
    answered_.push_back(std::move(answered));
  }
  wakeup_->Rouse();
}

void ConnectionLoop::GiveAnswers() {
  std::vector<Answered> answered;
  {
    absl::MutexLock lock(&mu_);
    answered.swap(answered_);
  }
  for (Answered& one : answered) {
    // A connection that waits for its answer is never dropped before it, so it is there.
    Connection& connection = *connections_.at(one.connection);
    connection.GiveAnswer(std::move(one.answer), std::move(one.stream), options_.clock->Now());
    // Its next request may have come already.
    if (connection.phase() == Connection::Phase::kReading) GoOn(one.connection, &connection);
  }
}

void ConnectionLoop::Sweep() {
  const absl::Time now = options_.clock->Now();
  for (auto it = connections_.begin(); it != connections_.end();) {
    Connection& connection = *it->second;
    connection.CloseIfOverdue(now);
    if (connection.phase() != Connection::Phase::kClosed) {
      ++it;
      continue;
    }
    if (connection.stream() != nullptr) --stream_count_;
    it = connections_.erase(it);
  }
}

}  // namespace entente::http
