// SPDX-License-Identifier: Apache-2.0
#include "common/identity/trust_store.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/check.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/identity/x509.h"

namespace entente {
namespace {

using StorePointer = std::unique_ptr<X509_STORE, OpenSslFree<X509_STORE_free>>;
using ContextPointer = std::unique_ptr<X509_STORE_CTX, OpenSslFree<X509_STORE_CTX_free>>;

// A peer's certificates as OpenSSL wants them; borrows.
using StackPointer =
    std::unique_ptr<STACK_OF(X509),
                    OpenSslFree<[](STACK_OF(X509) * stack) { sk_X509_free(stack); }>>;

constexpr int kSecurityLevel =
    2;  // At least 112 bits: RSA 2048, SHA-224. Debian's default for TLS.

std::string Escaped(absl::string_view text) { return absl::CHexEscape(text.substr(0, 300)); }

// Refuses what would make the store say yes to more, or to somebody else, than its owner meant.
absl::Status CheckAuthorityCertificate(const X509& certificate, const std::string& trust_domain) {
  const std::string what =
      absl::StrCat("the authority of ", trust_domain, ": certificate \"", SubjectOf(certificate));
  if (!IsAuthority(certificate)) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, "\" is not an authority's; name the file that `pki init` made"));
  }
  const std::vector<std::string> uris = AlternativeNamesOf(certificate).uris;
  const std::string domain_id = absl::StrCat("spiffe://", trust_domain);
  for (const std::string& uri : uris) {
    if (absl::StartsWith(uri, "spiffe://") && uri != domain_id) {
      return absl::InvalidArgumentError(absl::StrCat(what, "\" is of ", Escaped(uri), ", not of ",
                                                     domain_id, "; are two files swapped?"));
    }
  }
  return absl::OkStatus();
}

// The one SPIFFE id of a certificate; the X.509-SVID specification, section 2, forbids a second
// URI.
absl::StatusOr<PeerIdentity> IdentityIn(const X509& leaf) {
  if (IsAuthority(leaf)) {
    return absl::UnauthenticatedError(
        absl::StrCat("the certificate \"", SubjectOf(leaf),
                     "\" is an authority's own; connect with one that it issued"));
  }
  const std::vector<std::string> uris = AlternativeNamesOf(leaf).uris;
  if (uris.empty()) {
    return absl::UnauthenticatedError(
        absl::StrCat("the certificate \"", SubjectOf(leaf),
                     "\" carries no SPIFFE id; issue one with `entente pki issue`"));
  }
  if (uris.size() > 1) {
    return absl::UnauthenticatedError(absl::StrCat(
        "the certificate \"", SubjectOf(leaf), "\" carries ", uris.size(), " URIs, beginning with ",
        Escaped(uris[0]), " and ", Escaped(uris[1]), "; it must carry one SPIFFE id and no other"));
  }
  absl::StatusOr<PeerIdentity> identity = ParseSpiffeId(uris[0]);
  if (!identity.ok()) return absl::UnauthenticatedError(identity.status().message());
  identity->expires_at = NotAfterOf(leaf);
  return identity;
}

}  // namespace

struct TrustStore::Entry {
  Authority authority;
  StorePointer store;
  std::string subjects;  // "CN = FR Lab authority", for messages.
};

TrustStore::TrustStore(std::vector<Entry> entries) : entries_(std::move(entries)) {}
TrustStore::~TrustStore() = default;

absl::StatusOr<std::unique_ptr<TrustStore>> TrustStore::Create(std::vector<Authority> authorities) {
  std::vector<Entry> entries;
  for (Authority& authority : authorities) {
    ENTENTE_RETURN_IF_ERROR(CheckTrustDomain(authority.trust_domain));
    for (const Entry& earlier : entries) {
      if (earlier.authority.trust_domain == authority.trust_domain) {
        return absl::InvalidArgumentError(
            absl::StrCat("trust domain ", authority.trust_domain,
                         " is there twice; put all its certificates into one file"));
      }
    }
    absl::StatusOr<std::vector<CertificatePointer>> certificates =
        ParseCertificates(authority.certificates_pem);
    if (!certificates.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("the authority of ", authority.trust_domain,
                                                     ": ", certificates.status().message()));
    }
    StorePointer store(X509_STORE_new());
    ENTENTE_CHECK(store != nullptr);
    std::vector<std::string> subjects;
    for (const CertificatePointer& certificate : *certificates) {
      ENTENTE_RETURN_IF_ERROR(CheckAuthorityCertificate(*certificate, authority.trust_domain));
      ENTENTE_CHECK(X509_STORE_add_cert(store.get(), certificate.get()) == 1);
      subjects.push_back(absl::StrCat("\"", SubjectOf(*certificate), "\""));
    }
    entries.push_back({std::move(authority), std::move(store), absl::StrJoin(subjects, " or ")});
  }
  return absl::WrapUnique(new TrustStore(std::move(entries)));
}

absl::StatusOr<PeerIdentity> TrustStore::Verify(absl::string_view chain_pem, absl::Time now) const {
  const absl::StatusOr<std::vector<CertificatePointer>> chain = ParseCertificates(chain_pem);
  if (!chain.ok()) {
    return absl::UnauthenticatedError(
        absl::StrCat("the peer's certificate cannot be read: ", chain.status().message()));
  }
  if (chain->size() > limits::kCertificateChainMax) {
    return absl::UnauthenticatedError(absl::StrCat("the peer sent ", chain->size(),
                                                   " certificates; at most ",
                                                   limits::kCertificateChainMax, " are read"));
  }
  X509* const leaf = chain->front().get();
  ENTENTE_ASSIGN_OR_RETURN(PeerIdentity identity, IdentityIn(*leaf));
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&identity](const Entry& e) {
    return e.authority.trust_domain == identity.trust_domain;
  });
  if (entry == entries_.end()) {
    return absl::UnauthenticatedError(absl::StrCat(
        identity.SpiffeId(), ": trust domain ", identity.trust_domain,
        " belongs to no member here; the coordinator's operator can add its authority"));
  }

  const StackPointer untrusted(sk_X509_new_null());
  const ContextPointer context(X509_STORE_CTX_new());
  ENTENTE_CHECK(untrusted != nullptr && context != nullptr);
  for (const CertificatePointer& certificate : *chain) {
    ENTENTE_CHECK(sk_X509_push(untrusted.get(), certificate.get()) > 0);
  }
  ENTENTE_CHECK(X509_STORE_CTX_init(context.get(), entry->store.get(), leaf, untrusted.get()) == 1);
  X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(param, absl::ToTimeT(now));
  X509_VERIFY_PARAM_set_auth_level(param, kSecurityLevel);
  X509_VERIFY_PARAM_set_depth(param, limits::kCertificateChainMax);
  // An authority listed here is trusted for itself, whoever may have signed it.
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
  X509_STORE_CTX_set_purpose(context.get(), identity.role == Role::kCoordinator
                                                ? X509_PURPOSE_SSL_SERVER
                                                : X509_PURPOSE_SSL_CLIENT);
  if (X509_verify_cert(context.get()) != 1) {
    const ChainRefusal refusal = ExplainRefusal(context.get(), entry->subjects);
    return absl::UnauthenticatedError(absl::StrCat(identity.SpiffeId(), ": ", refusal.text));
  }

  const std::vector<Role>& roles = entry->authority.roles;
  if (std::find(roles.begin(), roles.end(), identity.role) == roles.end()) {
    const auto name = [](std::string* out, Role role) { absl::StrAppend(out, RoleName(role)); };
    return absl::PermissionDeniedError(
        absl::StrCat(identity.SpiffeId(), ": the authority of ", identity.trust_domain,
                     " may not vouch for role ", RoleName(identity.role), " here, only for ",
                     roles.empty() ? "none" : absl::StrJoin(roles, ", ", name)));
  }
  return identity;
}

std::string TrustStore::BundlePem() const {
  std::string bundle;
  for (const Entry& entry : entries_) {
    absl::StrAppend(&bundle, entry.authority.certificates_pem);
    if (!absl::EndsWith(bundle, "\n")) bundle += '\n';
  }
  return bundle;
}

}  // namespace entente
