// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_TLS_CONTEXT_H_
#define COMMON_HTTP_TLS_CONTEXT_H_

// TLS for the HTTP server: a certificate that is read again when its files change, and whose
// certificates browsers may present. gRPC's own (common/rpc) cannot be asked for a plain socket.

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/identity/x509.h"
#include "common/rpc/tls_paths.h"

namespace entente::http {

using TlsContextPointer = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;
using TlsPointer = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;

// Thread-safe.
class TlsContext {
 public:
  struct Options {
    TlsPaths paths;  // Certificate and key.
    std::string
        authorities_pem;  // Who may vouch for a browser; empty: no certificate is asked for.
    const Clock* clock = nullptr;  // Borrowed.
    FileSystem* files = nullptr;   // Borrowed.
  };

  // INVALID_ARGUMENT, NOT_FOUND, UNAVAILABLE: certificate or key cannot be used, naming the file.
  static absl::StatusOr<std::unique_ptr<TlsContext>> Create(Options options);

  // A server's side of a connection over `socket`, which stays the caller's. Files that were
  // replaced count within limits::kHttpReloadInterval, unless they are unfit; then the old ones do.
  absl::StatusOr<TlsPointer> Accept(int socket) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  TlsContext(Options options, TlsContextPointer context);
  static absl::StatusOr<TlsContextPointer> Load(const Options& options);

  const Options options_;

  absl::Mutex mu_;
  TlsContextPointer context_ ABSL_GUARDED_BY(mu_);
  absl::Time read_at_ ABSL_GUARDED_BY(mu_);
};

// The certificates that the other side presented and TLS verified, leaf first, as PEM; empty if
// there are none.
std::string PeerChainOf(const SSL& tls);

}  // namespace entente::http

#endif  // COMMON_HTTP_TLS_CONTEXT_H_
