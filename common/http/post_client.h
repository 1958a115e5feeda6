// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_POST_CLIENT_H_
#define COMMON_HTTP_POST_CLIENT_H_

// Posts to one URL over HTTP/1.1, a new connection each time. cpp-httplib speaks; this bounds it:
// one deadline for everything, few bytes back, no redirects, certificates checked.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/http_url.h"

namespace entente::http {

// Thread-safe, though it posts one thing after the other.
class PostClient {
 public:
  struct Options {
    HttpUrl url;
    std::string authority_file;  // PEM; empty: the system's authorities.
    // From the lookup of the name to the end of the answer. The lookup itself cannot be broken off:
    // it is bounded by the machine's resolver.
    absl::Duration timeout = absl::Seconds(10);
    size_t answer_bytes_max = 64 << 10;  // Beyond it an answer is not read on; its status counts.
    std::string user_agent;
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit PostClient(Options options);
  ~PostClient();

  // The status of the answer, whatever it is; what it says besides is not kept. Redirects are
  // answers.
  //
  // UNAVAILABLE: no connection, no TLS, or no answer. FAILED_PRECONDITION: its certificate is not
  // to be trusted, or the authority's file cannot be read. DEADLINE_EXCEEDED: no answer in time.
  // CANCELLED: after Cancel. Each names the origin, not the path, which may hold a token.
  absl::StatusOr<int> Post(const Headers& headers, const std::string& content_type,
                           const std::string& body) ABSL_LOCKS_EXCLUDED(post_mu_, mu_);

  // Ends what is under way, and whatever is posted from now on.
  void Cancel() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  class Watch;

  const Options options_;

  absl::Mutex post_mu_ ABSL_ACQUIRED_BEFORE(mu_);  // Held for the whole of a Post.
  absl::Mutex mu_;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  Watch* watch_ ABSL_GUARDED_BY(mu_) = nullptr;  // Of the Post under way.
};

}  // namespace entente::http

#endif  // COMMON_HTTP_POST_CLIENT_H_
