// SPDX-License-Identifier: Apache-2.0
#include "common/http/http_access.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/http/http_limits.h"

namespace entente::http {
namespace {

constexpr size_t kTokenCharactersMin = 16;
constexpr size_t kTokenCharactersMax = 256;

// "[::1]:7480" to "::1".
absl::string_view HostOf(absl::string_view host_and_port) {
  if (absl::ConsumePrefix(&host_and_port, "[")) {
    return host_and_port.substr(0, host_and_port.find(']'));
  }
  return host_and_port.substr(0, host_and_port.find(':'));
}

// Takes as long for a token that is nearly right as for one that is all wrong.
bool IsSame(absl::string_view one, absl::string_view other) {
  return Sha256Of(one) == Sha256Of(other);
}

}  // namespace

bool IsLoopback(absl::string_view host) {
  const bool is_dotted = host.find_first_not_of("0123456789.") == absl::string_view::npos;
  return absl::EqualsIgnoreCase(host, "localhost") || host == "::1" ||
         (is_dotted && absl::StartsWith(host, "127."));
}

absl::StatusOr<std::string> ReadToken(FileSystem& files, const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": other users may read or change this token; run chmod 600 ", path));
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(files, path, 4096));
  const absl::string_view token = absl::StripAsciiWhitespace(text);
  if (token.size() < kTokenCharactersMin || token.size() > kTokenCharactersMax ||
      !std::all_of(token.begin(), token.end(), [](char c) { return absl::ascii_isgraph(c); })) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ": a token is one word of 16 to 256 printable characters; make one with "
                     "openssl rand -hex 32"));
  }
  return std::string(token);
}

absl::StatusOr<std::unique_ptr<HttpAccess>> HttpAccess::Create(Options options) {
  std::string token;
  if (!options.token_file.empty()) {
    ENTENTE_ASSIGN_OR_RETURN(token, ReadToken(*options.files, options.token_file));
  }
  return std::unique_ptr<HttpAccess>(new HttpAccess(std::move(options), std::move(token)));
}

HttpAccess::HttpAccess(Options options, std::string token)
    : options_(std::move(options)),
      token_(std::move(token)),
      token_read_at_(options_.clock->Now()) {}

std::string HttpAccess::Token() {
  const absl::Time now = options_.clock->Now();
  {
    absl::MutexLock lock(&mu_);
    if (now < token_read_at_ + limits::kHttpReloadInterval) return token_;
    token_read_at_ = now;
  }
  absl::StatusOr<std::string> token = ReadToken(*options_.files, options_.token_file);
  absl::MutexLock lock(&mu_);
  // While a file is being replaced it may be half written: what was good stays so until then.
  if (token.ok()) token_ = *std::move(token);
  // A file that is gone takes its token with it.
  if (absl::IsNotFound(token.status())) token_.clear();
  return token_;
}

absl::StatusOr<Viewer> HttpAccess::ViewerByToken(absl::string_view authorization) {
  if (options_.token_file.empty()) {
    return absl::UnauthenticatedError("no token is taken here; leave it out");
  }
  std::string shown;
  if (absl::StartsWithIgnoreCase(authorization, "Bearer ")) {
    shown = std::string(absl::StripAsciiWhitespace(authorization.substr(7)));
  } else if (absl::StartsWithIgnoreCase(authorization, "Basic ") &&
             absl::Base64Unescape(absl::StripAsciiWhitespace(authorization.substr(6)), &shown)) {
    // What a browser asks its user for; the name does not matter.
    const size_t colon = shown.find(':');
    shown = colon == std::string::npos ? "" : shown.substr(colon + 1);
  }
  const std::string token = Token();
  if (token.empty() || !IsSame(shown, token)) {
    return absl::UnauthenticatedError(
        "the token is not the one of the token file, or not any more; ask the operator for it");
  }
  return Viewer{.kind = Viewer::Kind::kOperator};
}

absl::StatusOr<Viewer> HttpAccess::ViewerOf(const Shown& shown) {
  if (!shown.authorization.empty()) return ViewerByToken(shown.authorization);
  if (!shown.chain_pem.empty() && options_.trust != nullptr) {
    ENTENTE_ASSIGN_OR_RETURN(const PeerIdentity identity,
                             options_.trust->Verify(shown.chain_pem, options_.clock->Now()));
    const std::string member =
        options_.member_of == nullptr ? std::string() : options_.member_of(identity);
    const bool governs = identity.role == Role::kOperator || identity.role == Role::kObserver;
    if (member.empty() && governs) return Viewer{.kind = Viewer::Kind::kOperator};
    return Viewer{.kind = Viewer::Kind::kMember,
                  .member = member.empty() ? identity.trust_domain : member};
  }
  if (!options_.token_file.empty() || options_.trust != nullptr) return Viewer{};
  // A page of another site could make its own name lead to this machine and read as if it were us.
  if (!IsLoopback(HostOf(shown.host))) {
    return absl::PermissionDeniedError(
        "without a token this is answered to this machine only; ask by 127.0.0.1 or localhost");
  }
  return Viewer{.kind = Viewer::Kind::kOperator};
}

}  // namespace entente::http
