// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_HTTP_LIMITS_H_
#define COMMON_HTTP_HTTP_LIMITS_H_

// What one HTTP server holds at most. Beside limits.h rather than in it, for nobody else needs it.
//
// No thread ever waits for a browser: one thread moves the bytes of all connections, and a few run
// the routes. So a connection costs a descriptor and its buffers, an event stream no more than any
// other, and neither a hundred open dashboards nor a thousand silent connections keep a request
// waiting.

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace entente::limits {

inline constexpr int kHttpThreads = 3;                      // Run routes.
inline constexpr size_t kHttpConnectionsMax = 512;          // Further ones are closed at once.
inline constexpr int kHttpEventStreamsMax = 256;            // Of those.
inline constexpr size_t kHttpHeadBytesMax = 32 << 10;       // Request line and headers.
inline constexpr uint64_t kHttpBodyBytesMax = 64 << 10;     // Of a request; it is not looked at.
inline constexpr size_t kHttpEventQueueBytesMax = 1 << 20;  // To one browser, before it is cut.
inline constexpr absl::Duration kHttpRequestTimeMax = absl::Seconds(10);  // To send a request.
inline constexpr absl::Duration kHttpIdleTimeMax = absl::Seconds(15);     // Between two requests.
inline constexpr absl::Duration kHttpWriteTimeMax =
    absl::Seconds(30);  // To read some of an answer.
inline constexpr absl::Duration kHttpLingerTimeMax = absl::Seconds(2);  // To read a refusal.
inline constexpr absl::Duration kHttpEventSilenceMax =
    absl::Seconds(15);  // Then a comment is sent.
// A browser connects again by itself, and shows its certificate or token again.
inline constexpr absl::Duration kHttpEventStreamTimeMax = absl::Hours(1);
inline constexpr absl::Duration kHttpReloadInterval =
    absl::Seconds(5);  // Of certificate and token.

}  // namespace entente::limits

#endif  // COMMON_HTTP_HTTP_LIMITS_H_
