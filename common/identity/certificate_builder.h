// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_IDENTITY_CERTIFICATE_BUILDER_H_
#define COMMON_IDENTITY_CERTIFICATE_BUILDER_H_

// The step below certificate.h: signs whatever it is told, without asking whether it makes sense
// for a federation. Programs use certificate.h; tests make their wrong certificates here.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/identity/certificate.h"
#include "common/identity/x509.h"

namespace entente {

struct CertificateFields {
  std::string organization;  // May be empty.
  std::string common_name;   // At most 64 characters of UTF-8.
  AlternativeNames names;
  absl::Time not_before;
  absl::Time not_after;
  bool is_authority = false;  // Else a leaf, for both ends of TLS.
};

// A new key and a certificate for it with these fields and a random 128-bit serial number. Signed
// by `issuer`, or by its own key if that is null. INVALID_ARGUMENT for what OpenSSL does not take.
absl::StatusOr<CertificateAndKey> BuildCertificate(const CertificateFields& fields,
                                                   const CertificateAndKey* issuer);

}  // namespace entente

#endif  // COMMON_IDENTITY_CERTIFICATE_BUILDER_H_
