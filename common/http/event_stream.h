// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_EVENT_STREAM_H_
#define COMMON_HTTP_EVENT_STREAM_H_

// One browser that is told what happens, by server-sent events (the HTML standard, section 9.2).

#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/http/http_limits.h"

namespace entente::http {

// An event as it travels. Line breaks in `data` become several data lines; in `name` and `id` they
// become spaces. Empty `name` and `id` are left out.
std::string EventText(absl::string_view name, absl::string_view data, absl::string_view id = "");

// Thread-safe.
class EventStream {
 public:
  // `wake` is called, without a lock held, when there is something to take or the stream was
  // closed; from whichever thread did it.
  explicit EventStream(std::function<void()> wake,
                       size_t queue_bytes_max = limits::kHttpEventQueueBytesMax);

  // Queues the event; never waits. False if the stream is closed, or is closed by this call because
  // the browser reads too slowly: drop it then. A browser connects again by itself.
  bool Send(absl::string_view name, absl::string_view data, absl::string_view id = "")
      ABSL_LOCKS_EXCLUDED(mu_);

  // The same with a text of EventText, so that one text goes to many.
  bool SendText(absl::string_view event_text) ABSL_LOCKS_EXCLUDED(mu_);

  // Whether anybody still listens.
  bool open() const ABSL_LOCKS_EXCLUDED(mu_);

  // Ends it; what is queued may be lost.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

  // What is queued, for the server to write. Empties the queue.
  std::string Take() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const std::function<void()> wake_;
  const size_t queue_bytes_max_;

  mutable absl::Mutex mu_;
  std::string queue_ ABSL_GUARDED_BY(mu_);
  bool open_ ABSL_GUARDED_BY(mu_) = true;
};

}  // namespace entente::http

#endif  // COMMON_HTTP_EVENT_STREAM_H_
