// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_IDENTITY_X509_H_
#define COMMON_IDENTITY_X509_H_

// OpenSSL's certificates with owners, plain strings and absl times. For common/identity and
// common/rpc only; everybody else reads certificates through certificate.h.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace entente {

template <auto kFree>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using BioPointer = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using CertificatePointer = std::unique_ptr<X509, OpenSslFree<X509_free>>;

// Every certificate in `pem`, in order; other PEM blocks are passed over. INVALID_ARGUMENT if there
// is none, one is broken, or `pem` is over limits::kPemBytesMax.
absl::StatusOr<std::vector<CertificatePointer>> ParseCertificates(absl::string_view pem);

// INVALID_ARGUMENT if there is no private key, or it is encrypted. Never asks for a password.
absl::StatusOr<KeyPointer> ParsePrivateKey(absl::string_view pem);

std::string CertificateToPem(const X509& certificate);

// "O = worker, CN = gpu-1", with control characters escaped.
std::string SubjectOf(const X509& certificate);
std::string IssuerOf(const X509& certificate);

absl::Time NotBeforeOf(const X509& certificate);
absl::Time NotAfterOf(const X509& certificate);

// Whether it may sign other certificates, by its basic constraints and key usage.
bool IsAuthority(const X509& certificate);

// The subject alternative names we know, each as text; bytes are as they stand in the certificate.
struct AlternativeNames {
  std::vector<std::string> uris;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
};
AlternativeNames AlternativeNamesOf(const X509& certificate);

// "2026-03-01T12:00:00Z".
std::string TimeText(absl::Time time);

// Why OpenSSL refused a chain.
struct ChainRefusal {
  enum class Kind { kNone, kExpired, kNotYetValid, kOtherAuthority, kOtherHost, kUnfit };
  Kind kind = Kind::kNone;
  std::string text;  // "its certificate expired at 2026-03-01T12:00:00Z".
};

// `context` has just failed. `expected_authority` is named where another one has signed.
ChainRefusal ExplainRefusal(X509_STORE_CTX* context, absl::string_view expected_authority);

// INTERNAL with OpenSSL's own reason; empties its error queue. For what cannot fail but by our
// fault, or for want of memory.
absl::Status OpenSslError(absl::string_view what);

}  // namespace entente

#endif  // COMMON_IDENTITY_X509_H_
