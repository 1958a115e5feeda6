// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_HTTP_URL_H_
#define COMMON_BASE_HTTP_URL_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entente {

// Where an HTTP request goes, taken apart.
struct HttpUrl {
  bool is_https = true;
  std::string host;  // A name or an address; of IPv6 without brackets.
  int port = 0;      // 1 to 65535; written or the scheme's.
  std::string path;  // With the query; "/" at least.

  // "https://host:port", without the path: that may hold a token.
  std::string Origin() const;
  // "host:port" as in a Host header.
  std::string Authority() const;
};

// INVALID_ARGUMENT, with what a URL must be as "must ...": another scheme than http and https, user
// and password, a fragment, no host, a character that a URL cannot have, over 2,000 bytes.
absl::StatusOr<HttpUrl> ParseHttpUrl(absl::string_view text);

}  // namespace entente

#endif  // COMMON_BASE_HTTP_URL_H_
