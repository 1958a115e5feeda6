// SPDX-License-Identifier: Apache-2.0
#include "common/identity/x509.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/check.h"
#include "common/base/limits.h"

namespace entente {
namespace {

// In place of OpenSSL's default, which would ask on the terminal. `asked` is a bool.
int RefusePassword(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

absl::StatusOr<BioPointer> ReadOnlyBio(absl::string_view pem) {
  if (pem.size() > limits::kPemBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("PEM text of ", pem.size(), " bytes; at most ",
                                                   limits::kPemBytesMax, " are read"));
  }
  BioPointer bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return OpenSslError("cannot read PEM");
  ERR_clear_error();
  return bio;
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

std::string NameText(const X509_NAME* name) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  ENTENTE_CHECK(bio != nullptr);
  // UTF-8 stays readable; control characters do not pass.
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  return TextOf(bio.get());
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm fields = {};
  // A time that cannot be read is long past: the certificate counts as expired.
  if (ASN1_TIME_to_tm(time, &fields) != 1) return absl::InfinitePast();
  return absl::FromTM(fields, absl::UTCTimeZone());
}

std::string StringOf(const ASN1_STRING* string) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                     static_cast<size_t>(ASN1_STRING_length(string)));
}

std::string AddressText(const ASN1_STRING* address) {
  const int size = ASN1_STRING_length(address);
  if (size != 4 && size != 16) return "(malformed address)";
  std::array<char, INET6_ADDRSTRLEN> text = {};
  inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text.data(),
            text.size());
  return text.data();
}

// What may be dialled to reach its owner.
std::string HostsText(const X509& certificate) {
  AlternativeNames names = AlternativeNamesOf(certificate);
  std::vector<std::string> hosts = std::move(names.dns_names);
  hosts.insert(hosts.end(), names.ip_addresses.begin(), names.ip_addresses.end());
  if (hosts.empty()) return "no host name or address at all";
  if (hosts.size() > 10) hosts.resize(10);
  return absl::CHexEscape(absl::StrJoin(hosts, ", "));
}

}  // namespace

absl::StatusOr<std::vector<CertificatePointer>> ParseCertificates(absl::string_view pem) {
  absl::StatusOr<BioPointer> bio = ReadOnlyBio(pem);
  if (!bio.ok()) return bio.status();
  std::vector<CertificatePointer> certificates;
  bool asked = false;
  while (X509* certificate = PEM_read_bio_X509(bio->get(), nullptr, RefusePassword, &asked)) {
    certificates.emplace_back(certificate);
  }
  const auto last_error = ERR_peek_last_error();
  ERR_clear_error();
  const bool at_end =
      ERR_GET_LIB(last_error) == ERR_LIB_PEM && ERR_GET_REASON(last_error) == PEM_R_NO_START_LINE;
  if (!at_end) {
    return absl::InvalidArgumentError(
        absl::StrCat("certificate ", certificates.size() + 1, " is broken PEM"));
  }
  if (certificates.empty()) return absl::InvalidArgumentError("there is no PEM certificate in it");
  return certificates;
}

absl::StatusOr<KeyPointer> ParsePrivateKey(absl::string_view pem) {
  absl::StatusOr<BioPointer> bio = ReadOnlyBio(pem);
  if (!bio.ok()) return bio.status();
  bool asked = false;
  KeyPointer key(PEM_read_bio_PrivateKey(bio->get(), nullptr, RefusePassword, &asked));
  ERR_clear_error();
  if (asked) {
    return absl::InvalidArgumentError(
        "the private key is encrypted; write it without a password, readable by its owner only");
  }
  if (key == nullptr) return absl::InvalidArgumentError("there is no PEM private key in it");
  return key;
}

std::string CertificateToPem(const X509& certificate) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  ENTENTE_CHECK(bio != nullptr && PEM_write_bio_X509(bio.get(), &certificate) == 1);
  return TextOf(bio.get());
}

std::string SubjectOf(const X509& certificate) {
  return NameText(X509_get_subject_name(&certificate));
}

std::string IssuerOf(const X509& certificate) {
  return NameText(X509_get_issuer_name(&certificate));
}

absl::Time NotBeforeOf(const X509& certificate) {
  return TimeOf(X509_get0_notBefore(&certificate));
}

absl::Time NotAfterOf(const X509& certificate) { return TimeOf(X509_get0_notAfter(&certificate)); }

bool IsAuthority(const X509& certificate) {
  // OpenSSL caches the extensions in the certificate, hence its parameter without const; 1 means
  // "a CA by its basic constraints" (the higher values are guesses about old certificates).
  return X509_check_ca(const_cast<X509*>(&certificate)) == 1;
}

AlternativeNames AlternativeNamesOf(const X509& certificate) {
  const std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  ERR_clear_error();
  AlternativeNames found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) found.uris.push_back(StringOf(name->d.ia5));
    if (name->type == GEN_DNS) found.dns_names.push_back(StringOf(name->d.ia5));
    if (name->type == GEN_IPADD) found.ip_addresses.push_back(AddressText(name->d.ip));
  }
  return found;
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%SZ", time, absl::UTCTimeZone());
}

ChainRefusal ExplainRefusal(X509_STORE_CTX* context, absl::string_view expected_authority) {
  using Kind = ChainRefusal::Kind;
  const int error = X509_STORE_CTX_get_error(context);
  const X509* at = X509_STORE_CTX_get_current_cert(context);
  if (at == nullptr) at = X509_STORE_CTX_get0_cert(context);
  if (at == nullptr) return {Kind::kUnfit, "it has no certificate"};
  const std::string whose = X509_STORE_CTX_get_error_depth(context) == 0
                                ? "its certificate"
                                : absl::StrCat("the authority \"", SubjectOf(*at), "\" above it");
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {Kind::kExpired, absl::StrCat(whose, " expired at ", TimeText(NotAfterOf(*at)))};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {Kind::kNotYetValid,
              absl::StrCat(whose, " is not valid before ", TimeText(NotBeforeOf(*at)))};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return {Kind::kOtherAuthority, absl::StrCat("its certificate is self-signed, but ",
                                                  expected_authority, " should have issued it")};
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return {
          Kind::kOtherAuthority,
          absl::StrCat(whose, " names \"", IssuerOf(*at),
                       "\" as its issuer but was not signed with the key of ", expected_authority)};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return {Kind::kOtherAuthority,
              absl::StrCat(whose, " was issued by \"", IssuerOf(*at), "\", but ",
                           expected_authority, " should have issued it")};
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {Kind::kOtherHost, absl::StrCat("its certificate is for ", HostsText(*at))};
    case X509_V_ERR_INVALID_PURPOSE:
      return {Kind::kUnfit, absl::StrCat(whose, " is not meant for this end of a TLS connection")};
    default:
      return {Kind::kUnfit,
              absl::StrCat(whose, " is refused: ", X509_verify_cert_error_string(error))};
  }
}

absl::Status OpenSslError(absl::string_view what) {
  std::array<char, 256> reason = {};
  ERR_error_string_n(ERR_peek_last_error(), reason.data(), reason.size());
  ERR_clear_error();
  return absl::InternalError(absl::StrCat(what, ": ", reason.data()));
}

}  // namespace entente
