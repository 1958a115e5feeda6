// SPDX-License-Identifier: Apache-2.0
// entente pki show FILE: what certificates say of themselves.

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands/commands.h"
#include "cli/text_layout.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/identity/certificate.h"

namespace entente::cli {
namespace {

std::string ValidityText(const CertificateDescription& certificate, absl::Time now) {
  const std::string range =
      absl::StrCat(TimeText(certificate.not_before), " to ", TimeText(certificate.not_after));
  if (now < certificate.not_before) return absl::StrCat(range, " (not yet valid)");
  if (now >= certificate.not_after) return absl::StrCat(range, " (expired)");
  return absl::StrCat(range, " (", ShortDuration(certificate.not_after - now), " left)");
}

std::string CertificateText(const CertificateDescription& certificate, absl::Time now) {
  std::vector<std::string> names = certificate.dns_names;
  names.insert(names.end(), certificate.ip_addresses.begin(), certificate.ip_addresses.end());
  return Fields({{"spiffe id", certificate.spiffe_id},
                 {"kind", certificate.is_authority ? "authority" : "certificate"},
                 {"subject", certificate.subject},
                 {"issuer", certificate.issuer},
                 {"valid", ValidityText(certificate, now)},
                 {"dialled as", absl::StrJoin(names, ", ")},
                 {"sha256", certificate.sha256_fingerprint}});
}

nlohmann::ordered_json CertificateJson(const CertificateDescription& certificate) {
  const auto time = [](absl::Time t) {
    return absl::FormatTime(absl::RFC3339_sec, t, absl::UTCTimeZone());
  };
  nlohmann::ordered_json json;
  json["spiffeId"] = certificate.spiffe_id;
  json["isAuthority"] = certificate.is_authority;
  json["subject"] = certificate.subject;
  json["issuer"] = certificate.issuer;
  json["notBefore"] = time(certificate.not_before);
  json["notAfter"] = time(certificate.not_after);
  json["dnsNames"] = certificate.dns_names;
  json["ipAddresses"] = certificate.ip_addresses;
  json["sha256"] = certificate.sha256_fingerprint;
  return json;
}

absl::StatusOr<ExitCode> RunPkiShow(const Invocation& invocation, const std::string& path) {
  const absl::StatusOr<std::string> pem =
      ReadTextFile(invocation.files(), path, limits::kConfigBytesMax);
  if (!pem.ok()) return AsInputFileError(pem.status());
  const absl::StatusOr<std::vector<CertificateDescription>> certificates =
      DescribeCertificates(*pem);
  if (!certificates.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", certificates.status().message()));
  }
  nlohmann::ordered_json json;
  json["certificates"] = nlohmann::ordered_json::array();
  std::vector<std::string> texts;
  for (const CertificateDescription& certificate : *certificates) {
    json["certificates"].push_back(CertificateJson(certificate));
    texts.push_back(CertificateText(certificate, invocation.Now()));
  }
  invocation.output().Print(json, absl::StrJoin(texts, "\n"));
  return ExitCode::kOk;
}

}  // namespace

void AddPkiShow(CLI::App& pki, Invocation& invocation) {
  const auto path = std::make_shared<std::string>();
  Verb verb = AddVerb(pki, "show", "What a file of certificates says", invocation,
                      [&invocation, path] { return RunPkiShow(invocation, *path); });
  verb.Required("FILE", *path, "A PEM file");
}

}  // namespace entente::cli
