// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_CONNECTION_H_
#define COMMON_HTTP_CONNECTION_H_

// One browser's socket, plain or TLS, which never waits: whoever owns it polls it for what it wants
// and lets it go on.
//
//                 head complete          answer given
//   kReading ----------------> kAnswering ----------> kWriting ---> kReading, kStreaming,
//                                                                   kLingering or kClosed

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/http/event_stream.h"
#include "common/http/message_exchange.h"
#include "common/http/tls_context.h"

namespace entente::http {

// Not thread-safe.
class Connection {
 public:
  enum class Phase { kReading, kAnswering, kWriting, kStreaming, kLingering, kClosed };

  // Owns `socket`, which is non-blocking; `tls` is null for plain HTTP.
  Connection(int socket, TlsPointer tls, absl::Time now);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Phase phase() const { return phase_; }
  int socket() const { return socket_; }

  // What to poll for; 0 while it waits for an answer or for events.
  int16_t PollEvents() const;

  // Reads and writes what can be; call when PollEvents are there, or `events` has something.
  void GoOn(absl::Time now);

  // The request that has come whole, in kReading; moves to kAnswering. Empty if there is none yet.
  std::string TakeRequest();

  // In kAnswering. `stream` is set if events follow.
  void GiveAnswer(Answer answer, std::shared_ptr<EventStream> stream, absl::Time now);

  // Says no and closes, as far as the socket takes it at once.
  void Refuse(int status, absl::string_view sentence, absl::Time now);

  // When it has been silent or slow for too long, or its stream is at its end; closes it then.
  void CloseIfOverdue(absl::Time now);
  absl::Time deadline() const { return deadline_; }

  // The certificates it presented, as PEM; empty if none.
  const std::string& chain_pem() const { return chain_pem_; }

  // Null unless kStreaming.
  const std::shared_ptr<EventStream>& stream() const { return stream_; }

  void Close();

 private:
  enum class Io { kDone, kWait, kEnd };
  Io Shake();
  Io Read(char* buffer, size_t size, size_t* count);
  Io Write();  // All of `out_`.
  Io TlsResult(int result);
  void ReadMore(absl::Time now);
  void WriteMore(absl::Time now);
  void SendEvents(absl::Time now);
  void Linger();
  void AfterWriting(absl::Time now);

  const int socket_;
  const TlsPointer tls_;
  Phase phase_ = Phase::kReading;
  bool is_shaken_;          // TLS's handshake is over.
  int16_t wants_;           // What the last read or write waits for.
  bool is_awaited_ = true;  // Nothing of the next request has come.
  bool keeps_open_ = false;
  std::string in_;
  size_t head_bytes_;  // Of `in_`: the first request's; npos if it is not whole.
  std::string out_;
  size_t written_ = 0;  // Of `out_`.
  std::string chain_pem_;
  std::shared_ptr<EventStream> stream_;  // Shared with whoever sends events.
  absl::Time deadline_;
  absl::Time stream_ends_at_ = absl::InfiniteFuture();
};

}  // namespace entente::http

#endif  // COMMON_HTTP_CONNECTION_H_
