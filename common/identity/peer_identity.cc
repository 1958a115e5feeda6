// SPDX-License-Identifier: Apache-2.0
#include "common/identity/peer_identity.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"

namespace entente {
namespace {

constexpr size_t kTrustDomainCharactersMax = 253;
constexpr size_t kNameCharactersMax = 63;

constexpr std::pair<Role, absl::string_view> kRoles[] = {{Role::kCoordinator, "coordinator"},
                                                         {Role::kWorker, "worker"},
                                                         {Role::kSubmitter, "submitter"},
                                                         {Role::kOperator, "operator"},
                                                         {Role::kObserver, "observer"}};

// Text from outside, made safe and short enough for a message.
std::string Quoted(absl::string_view text) {
  constexpr size_t kShown = 120;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kShown)),
                      text.size() > kShown ? "...\"" : "\"");
}

bool HasOnly(absl::string_view text, absl::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [punctuation](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) || absl::StrContains(punctuation, c);
  });
}

absl::Status CheckName(absl::string_view name) {
  // "." and ".." are no path segments in the SPIFFE ID specification, section 2.2.
  if (name.empty() || name.size() > kNameCharactersMax || !HasOnly(name, "._-") || name == "." ||
      name == "..") {
    return absl::InvalidArgumentError(absl::StrCat("the name ", Quoted(name), " is not 1 to ",
                                                   kNameCharactersMax,
                                                   " characters of a-z, 0-9, \".\", \"_\", \"-\""));
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view RoleName(Role role) {
  for (const auto& [known, name] : kRoles) {
    if (known == role) return name;
  }
  ENTENTE_CHECK(false);
  return "";
}

absl::StatusOr<Role> ParseRole(absl::string_view name) {
  for (const auto& [role, known] : kRoles) {
    if (known == name) return role;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("role ", Quoted(name),
                   " is unknown; there are coordinator, worker, submitter, operator and observer"));
}

absl::Status CheckTrustDomain(absl::string_view trust_domain) {
  if (trust_domain.empty() || trust_domain.size() > kTrustDomainCharactersMax ||
      !HasOnly(trust_domain, ".-")) {
    return absl::InvalidArgumentError(absl::StrCat("the trust domain ", Quoted(trust_domain),
                                                   " is not 1 to ", kTrustDomainCharactersMax,
                                                   " characters of a-z, 0-9, \".\", \"-\""));
  }
  return absl::OkStatus();
}

std::string PeerIdentity::SpiffeId() const {
  return absl::StrCat("spiffe://", trust_domain, "/", RoleName(role), "/", name);
}

absl::StatusOr<PeerIdentity> ParseSpiffeId(absl::string_view id) {
  absl::string_view rest = id;
  const bool has_scheme = absl::ConsumePrefix(&rest, "spiffe://");
  const std::vector<absl::string_view> parts = absl::StrSplit(rest, '/');
  if (!has_scheme || parts.size() != 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(id), " is not a SPIFFE id of the form spiffe://<trust domain>/<role>/<name>"));
  }
  const auto in_this_id = [id](const absl::Status& status) {
    return absl::InvalidArgumentError(
        absl::StrCat("SPIFFE id ", Quoted(id), ": ", status.message()));
  };
  if (const absl::Status status = CheckTrustDomain(parts[0]); !status.ok())
    return in_this_id(status);
  const absl::StatusOr<Role> role = ParseRole(parts[1]);
  if (!role.ok()) return in_this_id(role.status());
  if (const absl::Status status = CheckName(parts[2]); !status.ok()) return in_this_id(status);
  return PeerIdentity{.trust_domain = std::string(parts[0]),
                      .role = *role,
                      .name = std::string(parts[2]),
                      .expires_at = absl::InfiniteFuture()};
}

}  // namespace entente
