// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_HTTP_ACCESS_H_
#define COMMON_HTTP_HTTP_ACCESS_H_

// Who a viewer is, by what it shows: a token, a certificate, or that it is on this machine.

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/http/http_message.h"
#include "common/identity/peer_identity.h"
#include "common/identity/trust_store.h"

namespace entente::http {

// "127.0.0.1", "::1" and "localhost", and all of 127.0.0.0/8.
bool IsLoopback(absl::string_view host);

// The word in the file at `path`. INVALID_ARGUMENT (not 16 to 256 printable characters without
// spaces, or others may read the file), NOT_FOUND, UNAVAILABLE: naming the file and what to do.
absl::StatusOr<std::string> ReadToken(FileSystem& files, const std::string& path);

// Thread-safe.
class HttpAccess {
 public:
  struct Options {
    std::string token_file;             // Empty: no token is taken.
    const TrustStore* trust = nullptr;  // Null: no certificate is taken. Borrowed.
    // The member that a certificate is of; "", or no function: it is of whoever runs the program.
    // Of those, operators and observers see what operators see, others what members see.
    std::function<std::string(const PeerIdentity&)> member_of;
    const Clock* clock = nullptr;  // Borrowed.
    FileSystem* files = nullptr;   // Borrowed.
  };

  // As ReadToken; the file is read again when it may have changed.
  static absl::StatusOr<std::unique_ptr<HttpAccess>> Create(Options options);

  // What a request shows.
  struct Shown {
    std::string authorization;  // Its header of that name.
    std::string host;           // Its header of that name.
    std::string chain_pem;      // Of the connection's certificate; empty if it has none.
  };

  // A wrong token or certificate is refused, not taken for nobody's: UNAUTHENTICATED (the token is
  // not the file's, or not any more; the certificate expired or is nobody's we know) or
  // PERMISSION_DENIED (as TrustStore::Verify; or a page of another site asks, by a name that it
  // made lead to this machine). Shows nothing: an operator if neither TLS nor a token is asked
  // for, else the public.
  absl::StatusOr<Viewer> ViewerOf(const Shown& shown) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  explicit HttpAccess(Options options, std::string token);
  absl::StatusOr<Viewer> ViewerByToken(absl::string_view authorization) ABSL_LOCKS_EXCLUDED(mu_);
  std::string Token() ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;

  absl::Mutex mu_;
  std::string token_ ABSL_GUARDED_BY(mu_);
  absl::Time token_read_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace entente::http

#endif  // COMMON_HTTP_HTTP_ACCESS_H_
