// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_CONNECTION_LOOP_H_
#define COMMON_HTTP_CONNECTION_LOOP_H_

// The one thread that moves the bytes of all connections. Requests that have come whole are
// answered on a pool of a few threads; nothing here waits for a browser or for a route.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/http/connection.h"
#include "common/http/listening_socket.h"
#include "common/http/message_exchange.h"
#include "common/http/tls_context.h"

namespace entente::http {

// Rouses the loop out of its poll. Thread-safe; outlives the loop, for event streams may.
class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  void Rouse();
  void Clear();
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;  // An eventfd.
  std::atomic<bool> is_roused_{false};
};

class ConnectionLoop {
 public:
  // The answer to a request's head, for whoever presented these certificates. On the pool.
  using Answering = std::function<Answer(const std::string& head, const std::string& chain_pem)>;

  struct Options {
    ListeningSocket listener;
    TlsContext* tls = nullptr;     // Borrowed; null: plain HTTP.
    const Clock* clock = nullptr;  // Borrowed.
    Answering answering;
  };

  // Runs from now on.
  explicit ConnectionLoop(Options options);

  // Closes every connection, after the requests that are being answered.
  ~ConnectionLoop();

 private:
  struct Answered {
    uint64_t connection = 0;
    Answer answer;
    std::shared_ptr<EventStream> stream = nullptr;  // Shared with whoever sends events.
  };

  void Run();
  void WaitForSomething();
  void AcceptAll();
  void AnswerOn(uint64_t id, std::string head, std::string chain_pem) ABSL_LOCKS_EXCLUDED(mu_);
  void GiveAnswers() ABSL_LOCKS_EXCLUDED(mu_);
  void GoOn(uint64_t id, Connection* connection);
  void Sweep();

  const Options options_;
  // Shared with the event streams.
  const std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
  std::atomic<bool> stopping_{false};
  std::atomic<int> stream_count_{0};

  // The loop's own.
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  uint64_t next_id_ = 1;
  absl::Time accepts_again_at_ = absl::InfinitePast();

  absl::Mutex mu_;
  std::vector<Answered> answered_ ABSL_GUARDED_BY(mu_);

  std::unique_ptr<ThreadPool> pool_;
  std::thread thread_;
};

}  // namespace entente::http

#endif  // COMMON_HTTP_CONNECTION_LOOP_H_
