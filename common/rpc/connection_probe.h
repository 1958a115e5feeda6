// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RPC_CONNECTION_PROBE_H_
#define COMMON_RPC_CONNECTION_PROBE_H_

// Says in one plain sentence why a coordinator cannot be reached. gRPC's own message ("failed to
// connect to all addresses") leaves that open, so this goes the way once more by hand: look the
// name up, connect, shake hands, and wait for the server's word on our certificate.

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/rpc/tls_credentials.h"

namespace entente {

// How far a probe came.
struct ProbeProgress {
  bool connected = false;  // The name is known, and somebody takes connections there.
  bool encrypted = false;  // TLS stands, and we take the server's certificate.
};

// OK if a TLS connection to `target` (host:port) stands and the server accepts our certificate.
// Blocks for at most `timeout`.
//
// INVALID_ARGUMENT: target is not host:port, or a TLS file is wrong (CheckTlsFiles).
// NOT_FOUND: the name does not resolve. UNAVAILABLE: refused, unreachable, timed out, not TLS.
// UNAUTHENTICATED: the server's certificate is from another authority, expired, or for another
// name; or the server refused ours (unknown authority, expired). Every message says what to do.
// `progress`, if it is not null, is set whatever the outcome.
absl::Status ProbeConnection(const std::string& target, const TlsPaths& paths, absl::Time now,
                             absl::Duration timeout, ProbeProgress* progress = nullptr);

}  // namespace entente

#endif  // COMMON_RPC_CONNECTION_PROBE_H_
