// SPDX-License-Identifier: Apache-2.0
#include "common/base/http_url.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace entente {
namespace {

constexpr size_t kUrlBytesMax = 2000;
constexpr int kHttpPort = 80;
constexpr int kHttpsPort = 443;
constexpr int kPortMax = 65535;

bool IsHostName(absl::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
  });
}

bool IsIpv6(absl::string_view host) {
  return host.find(':') != absl::string_view::npos &&
         std::all_of(host.begin(), host.end(),
                     [](char c) { return absl::ascii_isxdigit(c) || c == ':' || c == '.'; });
}

absl::Status Must(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("must ", what));
}

// Takes "http://" or "https://" off the front.
bool TakeScheme(absl::string_view* text, HttpUrl* url) {
  const size_t colon = text->find("://");
  if (colon == absl::string_view::npos) return false;
  const std::string scheme = absl::AsciiStrToLower(text->substr(0, colon));
  if (scheme != "http" && scheme != "https") return false;
  url->is_https = scheme == "https";
  text->remove_prefix(colon + 3);
  return true;
}

// Of "host", "host:port", "[v6]" or "[v6]:port".
absl::Status TakeAuthority(absl::string_view authority, HttpUrl* url) {
  absl::string_view port;
  if (absl::ConsumePrefix(&authority, "[")) {
    const size_t end = authority.find(']');
    if (end == absl::string_view::npos) return Must("close the bracket of its IPv6 address");
    url->host = std::string(authority.substr(0, end));
    port = authority.substr(end + 1);
    if (!IsIpv6(url->host) || (!port.empty() && port[0] != ':')) {
      return Must("name a host, such as https://example.org/hook");
    }
  } else {
    const size_t colon = authority.find(':');
    url->host = std::string(authority.substr(0, colon));
    if (colon != absl::string_view::npos) port = authority.substr(colon);
    if (!IsHostName(url->host)) return Must("name a host, such as https://example.org/hook");
  }
  url->port = url->is_https ? kHttpsPort : kHttpPort;
  if (port.empty()) return absl::OkStatus();
  if (!absl::SimpleAtoi(port.substr(1), &url->port) || url->port < 1 || url->port > kPortMax) {
    return Must("have a port of 1 to 65535");
  }
  return absl::OkStatus();
}

}  // namespace

std::string HttpUrl::Authority() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

std::string HttpUrl::Origin() const {
  return absl::StrCat(is_https ? "https://" : "http://", Authority());
}

absl::StatusOr<HttpUrl> ParseHttpUrl(absl::string_view text) {
  if (text.size() > kUrlBytesMax)
    return Must(absl::StrCat("have at most ", kUrlBytesMax, " bytes"));
  if (!std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isgraph(c); })) {
    return Must("have neither spaces nor characters outside ASCII; write them as %20 and the like");
  }
  HttpUrl url;
  if (!TakeScheme(&text, &url)) return Must("begin with https:// or http://");
  if (text.find('#') != absl::string_view::npos) return Must("have no fragment (#)");
  const size_t path = text.find_first_of("/?");
  const absl::string_view authority = text.substr(0, path);
  if (authority.find('@') != absl::string_view::npos) {
    return Must("have no user or password; the signature says who sends");
  }
  if (absl::Status status = TakeAuthority(authority, &url); !status.ok()) return status;
  if (path != absl::string_view::npos) url.path = std::string(text.substr(path));
  if (url.path.empty() || url.path[0] != '/') url.path.insert(0, "/");
  return url;
}

}  // namespace entente
