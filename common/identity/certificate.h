// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_IDENTITY_CERTIFICATE_H_
#define COMMON_IDENTITY_CERTIFICATE_H_

// Making and reading the X.509 certificates of a federation. Each member has one authority; it
// issues short-lived certificates that carry one SPIFFE id each (the X.509-SVID specification).
// Keys are ECDSA P-256.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace entente {

// A certificate and the key that belongs to it, both PEM (the key PKCS #8, not encrypted). Write
// the key with WritePrivateKey and keep it nowhere else.
struct CertificateAndKey {
  std::string certificate_pem;
  std::string private_key_pem;
};

struct AuthorityRequest {
  std::string trust_domain;  // "fr-lab.example".
  std::string display_name;  // For people, e.g. "FR Lab authority"; 1 to 64 printable characters.
  absl::Duration validity;
};

// A self-signed authority: it may sign leaves, but no further authorities.
//
// INVALID_ARGUMENT if a field is not as above or the validity not positive. INTERNAL if OpenSSL
// fails.
absl::StatusOr<CertificateAndKey> CreateAuthority(const AuthorityRequest& request, absl::Time now);

struct CertificateRequest {
  std::string spiffe_id;                  // spiffe://<trust domain>/<role>/<name>.
  std::vector<std::string> dns_names;     // What a client may dial, for coordinators.
  std::vector<std::string> ip_addresses;  // "127.0.0.1", "::1".
  absl::Duration validity;
};

// A new key and a certificate for it, for either end of a TLS connection. It is valid from five
// minutes ago, so that a peer whose clock is a little behind takes it.
//
// INVALID_ARGUMENT: `authority` is none, its key does not fit, or it has expired; the SPIFFE id is
// malformed or of another trust domain than the authority's; a name or address is none; the
// validity is not positive or ends after the authority's.
absl::StatusOr<CertificateAndKey> IssueCertificate(const CertificateAndKey& authority,
                                                   const CertificateRequest& request,
                                                   absl::Time now);

// What a certificate says of itself; nothing here is verified.
struct CertificateDescription {
  std::string subject;    // "O = worker, CN = gpu-1".
  std::string spiffe_id;  // Empty if there is none, or several. An authority's has no path.
  std::string issuer;
  absl::Time not_before;
  absl::Time not_after;
  bool is_authority = false;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::string sha256_fingerprint;  // 64 hexadecimal digits, of the DER form.
};

// Of the first certificate in `pem`. INVALID_ARGUMENT if there is none.
absl::StatusOr<CertificateDescription> DescribeCertificate(absl::string_view pem);

// Of all of them, in order; at least one.
absl::StatusOr<std::vector<CertificateDescription>> DescribeCertificates(absl::string_view pem);

// INVALID_ARGUMENT unless the key is PEM, not encrypted, and belongs to the first certificate.
absl::Status CheckKeyFits(absl::string_view certificate_pem, absl::string_view private_key_pem);

// Creates the file, readable by its owner only, and syncs it. ALREADY_EXISTS if something is there:
// a key is never overwritten. NOT_FOUND if the folder is missing; UNAVAILABLE otherwise.
absl::Status WritePrivateKey(const std::string& path, absl::string_view pem);

}  // namespace entente

#endif  // COMMON_IDENTITY_CERTIFICATE_H_
