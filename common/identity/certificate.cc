// SPDX-License-Identifier: Apache-2.0
#include "common/identity/certificate.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/identity/certificate_builder.h"
#include "common/identity/peer_identity.h"
#include "common/identity/x509.h"

namespace entente {
namespace {

// Clocks across countries differ by seconds, seldom by minutes.
constexpr absl::Duration kBackdated = absl::Minutes(5);

// The end of what X.509's GeneralizedTime can say, less a day.
constexpr absl::Time kLatest = absl::FromUnixSeconds(253'402'214'400);

absl::Status CheckDisplayName(const std::string& name) {
  const bool printable = std::none_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
  if (name.empty() || name.size() > 64 || !printable) {
    return absl::InvalidArgumentError(absl::StrCat("the authority's display name \"",
                                                   absl::CHexEscape(name.substr(0, 80)),
                                                   "\" is not 1 to 64 printable characters"));
  }
  return absl::OkStatus();
}

absl::Status CheckValidity(absl::Duration validity, absl::Time now) {
  if (validity < absl::Seconds(1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the validity is ", absl::FormatDuration(validity), "; it must be positive"));
  }
  if (now + validity > kLatest) {
    return absl::InvalidArgumentError(absl::StrCat("the validity is ",
                                                   absl::FormatDuration(validity),
                                                   "; certificates end with the year 9999"));
  }
  return absl::OkStatus();
}

absl::Status CheckDnsName(const std::string& name) {
  const bool known = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-';
  });
  if (name.empty() || name.size() > 253 || !known || name.front() == '.' || name.front() == '-') {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", absl::CHexEscape(name.substr(0, 80)),
                     "\" is not a DNS name; write it like coordinator.example.org"));
  }
  return absl::OkStatus();
}

CertificateDescription Describe(const X509& certificate) {
  AlternativeNames names = AlternativeNamesOf(certificate);
  CertificateDescription description = {
      .subject = SubjectOf(certificate),
      .spiffe_id = names.uris.size() == 1 && absl::StartsWith(names.uris[0], "spiffe://")
                       ? absl::CHexEscape(names.uris[0])
                       : "",
      .issuer = IssuerOf(certificate),
      .not_before = NotBeforeOf(certificate),
      .not_after = NotAfterOf(certificate),
      .is_authority = IsAuthority(certificate),
      .dns_names = std::move(names.dns_names),
      .ip_addresses = std::move(names.ip_addresses),
      .sha256_fingerprint = ""};
  for (std::string& name : description.dns_names) name = absl::CHexEscape(name);
  unsigned char* der = nullptr;
  const int size = i2d_X509(&certificate, &der);
  if (size > 0) {
    description.sha256_fingerprint =
        Sha256Of(absl::string_view(reinterpret_cast<const char*>(der), static_cast<size_t>(size)))
            .ToHex();
  }
  OPENSSL_free(der);
  return description;
}

// The authority's own description, if it can sign for `identity` at `now`.
absl::StatusOr<CertificateDescription> CheckAuthority(const CertificateAndKey& authority,
                                                      const PeerIdentity& identity,
                                                      absl::Time now) {
  const absl::StatusOr<CertificateDescription> description =
      DescribeCertificate(authority.certificate_pem);
  if (!description.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the authority's certificate: ", description.status().message()));
  }
  const std::string name = absl::StrCat("\"", description->subject, "\"");
  if (!description->is_authority) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " is not an authority: its certificate may not sign others; use the member's own"));
  }
  ENTENTE_RETURN_IF_ERROR(CheckKeyFits(authority.certificate_pem, authority.private_key_pem));
  if (now >= description->not_after) {
    return absl::InvalidArgumentError(
        absl::StrCat("the authority ", name, " expired at ", TimeText(description->not_after),
                     "; make a new one and give its certificate to the coordinator"));
  }
  const std::string domain_id = absl::StrCat("spiffe://", identity.trust_domain);
  if (!description->spiffe_id.empty() && description->spiffe_id != domain_id) {
    return absl::InvalidArgumentError(absl::StrCat("the authority ", name, " is of ",
                                                   description->spiffe_id, " and cannot issue ",
                                                   identity.SpiffeId()));
  }
  return description;
}

// Closes, and reports the first error since.
absl::Status WriteAndClose(int fd, const std::string& path, absl::string_view text) {
  int error = 0;
  while (!text.empty() && error == 0) {
    const ssize_t put = write(fd, text.data(), text.size());
    if (put >= 0) {
      text.remove_prefix(static_cast<size_t>(put));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && fsync(fd) != 0) error = errno;
  if (close(fd) != 0 && error == 0) error = errno;
  if (error == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot write ", path, ": ", std::strerror(error)));
}

}  // namespace

absl::StatusOr<CertificateAndKey> CreateAuthority(const AuthorityRequest& request, absl::Time now) {
  ENTENTE_RETURN_IF_ERROR(CheckTrustDomain(request.trust_domain));
  ENTENTE_RETURN_IF_ERROR(CheckDisplayName(request.display_name));
  ENTENTE_RETURN_IF_ERROR(CheckValidity(request.validity, now));
  CertificateFields fields;
  fields.common_name = request.display_name;
  fields.names.uris = {absl::StrCat("spiffe://", request.trust_domain)};
  fields.not_before = now - kBackdated;
  fields.not_after = now + request.validity;
  fields.is_authority = true;
  return BuildCertificate(fields, nullptr);
}

absl::StatusOr<CertificateAndKey> IssueCertificate(const CertificateAndKey& authority,
                                                   const CertificateRequest& request,
                                                   absl::Time now) {
  ENTENTE_ASSIGN_OR_RETURN(const PeerIdentity identity, ParseSpiffeId(request.spiffe_id));
  ENTENTE_RETURN_IF_ERROR(CheckValidity(request.validity, now));
  for (const std::string& name : request.dns_names) ENTENTE_RETURN_IF_ERROR(CheckDnsName(name));
  ENTENTE_ASSIGN_OR_RETURN(const CertificateDescription issuer,
                           CheckAuthority(authority, identity, now));

  CertificateFields fields;
  fields.organization = std::string(RoleName(identity.role));
  fields.common_name = identity.name;
  fields.names.uris = {request.spiffe_id};
  fields.names.dns_names = request.dns_names;
  fields.names.ip_addresses = request.ip_addresses;
  fields.not_before = std::max(now - kBackdated, issuer.not_before);
  fields.not_after = now + request.validity;
  if (fields.not_after > issuer.not_after) {
    return absl::InvalidArgumentError(
        absl::StrCat("the certificate would be valid until ", TimeText(fields.not_after),
                     ", but its authority \"", issuer.subject, "\" only until ",
                     TimeText(issuer.not_after), "; ask for a shorter validity"));
  }
  return BuildCertificate(fields, &authority);
}

absl::StatusOr<std::vector<CertificateDescription>> DescribeCertificates(absl::string_view pem) {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<CertificatePointer> certificates,
                           ParseCertificates(pem));
  std::vector<CertificateDescription> descriptions;
  for (const CertificatePointer& certificate : certificates) {
    descriptions.push_back(Describe(*certificate));
  }
  return descriptions;
}

absl::StatusOr<CertificateDescription> DescribeCertificate(absl::string_view pem) {
  ENTENTE_ASSIGN_OR_RETURN(std::vector<CertificateDescription> all, DescribeCertificates(pem));
  return std::move(all.front());
}

absl::Status CheckKeyFits(absl::string_view certificate_pem, absl::string_view private_key_pem) {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<CertificatePointer> certificates,
                           ParseCertificates(certificate_pem));
  ENTENTE_ASSIGN_OR_RETURN(const KeyPointer key, ParsePrivateKey(private_key_pem));
  const bool fits = X509_check_private_key(certificates.front().get(), key.get()) == 1;
  ERR_clear_error();
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the private key does not belong to the certificate \"",
                   SubjectOf(*certificates.front()), "\""));
}

absl::Status WritePrivateKey(const std::string& path, absl::string_view pem) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    const int error = errno;
    const std::string message = absl::StrCat("cannot create ", path, ": ", std::strerror(error));
    if (error == EEXIST) {
      return absl::AlreadyExistsError(absl::StrCat(
          path, " is already there; a private key is never overwritten, move it away first"));
    }
    return error == ENOENT || error == ENOTDIR ? absl::NotFoundError(message)
                                               : absl::UnavailableError(message);
  }
  const absl::Status written = WriteAndClose(fd, path, pem);
  if (!written.ok()) unlink(path.c_str());  // Half a key helps nobody.
  return written;
}

}  // namespace entente
