// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COMMON_IDENTITY_TEST_CERTIFICATES_H_
#define TESTS_UNIT_COMMON_IDENTITY_TEST_CERTIFICATES_H_

// Certificates for tests: good ones in a line, and the wrong ones by BuildCertificate.

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/identity/certificate.h"
#include "common/identity/certificate_builder.h"

namespace entente {

// A fixed noon, for tests without sockets.
inline constexpr absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);

// The authority of `trust_domain`, valid for ten years.
inline CertificateAndKey MakeAuthority(const std::string& trust_domain, absl::Time now = kNoon) {
  const auto made = CreateAuthority({.trust_domain = trust_domain,
                                     .display_name = absl::StrCat("Authority of ", trust_domain),
                                     .validity = absl::Hours(24 * 3650)},
                                    now);
  ENTENTE_CHECK(made.ok());
  return *made;
}

// A certificate for loopback, valid for a day from `now`.
inline CertificateAndKey MakeCertificate(const CertificateAndKey& authority,
                                         const std::string& spiffe_id, absl::Time now = kNoon) {
  const auto made = IssueCertificate(authority,
                                     {.spiffe_id = spiffe_id,
                                      .dns_names = {"localhost"},
                                      .ip_addresses = {"127.0.0.1", "::1"},
                                      .validity = absl::Hours(24)},
                                     now);
  ENTENTE_CHECK(made.ok());
  return *made;
}

// A leaf with just these URIs, valid for a day from kNoon; self-signed without an issuer.
inline CertificateAndKey MakeLeafWithUris(const std::vector<std::string>& uris,
                                          const CertificateAndKey* issuer) {
  CertificateFields fields;
  fields.common_name = "odd one";
  fields.names.uris = uris;
  fields.not_before = kNoon;
  fields.not_after = kNoon + absl::Hours(24);
  const auto made = BuildCertificate(fields, issuer);
  ENTENTE_CHECK(made.ok());
  return *made;
}

}  // namespace entente

#endif  // TESTS_UNIT_COMMON_IDENTITY_TEST_CERTIFICATES_H_
