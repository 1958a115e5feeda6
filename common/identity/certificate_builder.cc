// SPDX-License-Identifier: Apache-2.0
#include "common/identity/certificate_builder.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente {
namespace {

using NamesPointer = std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>>;

absl::Status SetSerialNumber(X509* certificate) {
  std::array<unsigned char, 16> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) return OpenSslError("no random numbers");
  const std::unique_ptr<BIGNUM, OpenSslFree<BN_free>> number(
      BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  if (number == nullptr ||
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr) {
    return OpenSslError("cannot set a serial number");
  }
  return absl::OkStatus();
}

absl::Status SetSubject(const CertificateFields& fields, X509* certificate) {
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const auto add = [subject](int nid, const std::string& text) {
    return text.empty() ||
           X509_NAME_add_entry_by_NID(subject, nid, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
  };
  if (add(NID_organizationName, fields.organization) && add(NID_commonName, fields.common_name)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      OpenSslError("a certificate's subject is at most 64 characters of UTF-8").message()));
}

absl::Status SetTimes(const CertificateFields& fields, X509* certificate) {
  if (ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(fields.not_before)) ==
          nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(fields.not_after)) == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(OpenSslError("a certificate's times end with the year 9999").message()));
  }
  return absl::OkStatus();
}

absl::Status AddName(int type, const std::string& bytes, GENERAL_NAMES* names) {
  const int string_type = type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING;
  std::unique_ptr<ASN1_STRING, OpenSslFree<ASN1_STRING_free>> value(
      ASN1_STRING_type_new(string_type));
  std::unique_ptr<GENERAL_NAME, OpenSslFree<GENERAL_NAME_free>> name(GENERAL_NAME_new());
  if (value == nullptr || name == nullptr ||
      ASN1_STRING_set(value.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return OpenSslError("cannot add a name");
  }
  GENERAL_NAME_set0_value(name.get(), type, value.release());
  if (sk_GENERAL_NAME_push(names, name.get()) == 0) return OpenSslError("cannot add a name");
  static_cast<void>(name.release());  // `names` owns it now.
  return absl::OkStatus();
}

absl::StatusOr<std::string> AddressBytes(const std::string& text) {
  std::array<char, 16> bytes = {};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return std::string(bytes.data(), 4);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return std::string(bytes.data(), 16);
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is not an IP address; write it like 192.0.2.1 or 2001:db8::1"));
}

absl::Status SetAlternativeNames(const AlternativeNames& wanted, X509* certificate) {
  const NamesPointer names(GENERAL_NAMES_new());
  if (names == nullptr) return OpenSslError("cannot add names");
  for (const std::string& uri : wanted.uris) {
    ENTENTE_RETURN_IF_ERROR(AddName(GEN_URI, uri, names.get()));
  }
  for (const std::string& name : wanted.dns_names) {
    ENTENTE_RETURN_IF_ERROR(AddName(GEN_DNS, name, names.get()));
  }
  for (const std::string& address : wanted.ip_addresses) {
    ENTENTE_ASSIGN_OR_RETURN(const std::string bytes, AddressBytes(address));
    ENTENTE_RETURN_IF_ERROR(AddName(GEN_IPADD, bytes, names.get()));
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return absl::OkStatus();
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) != 1) {
    return OpenSslError("cannot add names");
  }
  return absl::OkStatus();
}

absl::Status AddExtension(int nid, const char* value, X509* issuer, X509* certificate) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, OpenSslFree<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return OpenSslError("cannot add an extension");
  }
  return absl::OkStatus();
}

// RFC 5280 sections 4.2.1.1 to 4.2.1.12, as the X.509-SVID specification (section 4) asks for them.
absl::Status AddExtensions(const CertificateFields& fields, X509* issuer, X509* certificate) {
  const std::pair<int, const char*> authority[] = {
      {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
      {NID_key_usage, "critical,keyCertSign,cRLSign"}};
  const std::pair<int, const char*> leaf[] = {{NID_basic_constraints, "critical,CA:FALSE"},
                                              {NID_key_usage, "critical,digitalSignature"}};
  for (const auto& [nid, value] : fields.is_authority ? authority : leaf) {
    ENTENTE_RETURN_IF_ERROR(AddExtension(nid, value, issuer, certificate));
  }
  if (!fields.is_authority) {
    ENTENTE_RETURN_IF_ERROR(
        AddExtension(NID_ext_key_usage, "serverAuth,clientAuth", issuer, certificate));
  }
  ENTENTE_RETURN_IF_ERROR(AddExtension(NID_subject_key_identifier, "hash", issuer, certificate));
  return AddExtension(NID_authority_key_identifier, "keyid:always", issuer, certificate);
}

absl::StatusOr<std::string> KeyToPem(EVP_PKEY* key) {
  const BioPointer bio(BIO_new(BIO_s_secmem()));
  if (bio == nullptr ||
      PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return OpenSslError("cannot write a private key");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace

absl::StatusOr<CertificateAndKey> BuildCertificate(const CertificateFields& fields,
                                                   const CertificateAndKey* issuer) {
  const CertificatePointer certificate(X509_new());
  const KeyPointer key(EVP_EC_gen("P-256"));
  if (certificate == nullptr || key == nullptr) return OpenSslError("cannot make a key");

  CertificatePointer issuer_certificate;
  KeyPointer issuer_key;
  if (issuer != nullptr) {
    ENTENTE_ASSIGN_OR_RETURN(std::vector<CertificatePointer> parsed,
                             ParseCertificates(issuer->certificate_pem));
    issuer_certificate = std::move(parsed.front());
    ENTENTE_ASSIGN_OR_RETURN(issuer_key, ParsePrivateKey(issuer->private_key_pem));
  }
  X509* const signer = issuer == nullptr ? certificate.get() : issuer_certificate.get();
  EVP_PKEY* const signing_key = issuer == nullptr ? key.get() : issuer_key.get();

  ENTENTE_RETURN_IF_ERROR(SetSerialNumber(certificate.get()));
  ENTENTE_RETURN_IF_ERROR(SetSubject(fields, certificate.get()));
  ENTENTE_RETURN_IF_ERROR(SetTimes(fields, certificate.get()));
  if (X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(certificate.get(), key.get()) != 1 ||
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer)) != 1) {
    return OpenSslError("cannot fill a certificate");
  }
  ENTENTE_RETURN_IF_ERROR(AddExtensions(fields, signer, certificate.get()));
  ENTENTE_RETURN_IF_ERROR(SetAlternativeNames(fields.names, certificate.get()));
  if (X509_sign(certificate.get(), signing_key, EVP_sha256()) == 0) {
    return OpenSslError("cannot sign a certificate");
  }
  ENTENTE_ASSIGN_OR_RETURN(std::string key_pem, KeyToPem(key.get()));
  return CertificateAndKey{.certificate_pem = CertificateToPem(*certificate),
                           .private_key_pem = std::move(key_pem)};
}

}  // namespace entente
