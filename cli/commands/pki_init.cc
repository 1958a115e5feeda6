// SPDX-License-Identifier: Apache-2.0
// entente pki init: a member's certificate authority.

#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"
#include "common/identity/certificate.h"

namespace entente::cli {
namespace {

struct PkiInitArguments {
  std::string trust_domain;
  std::string name;
  std::string directory;
  int days = 3650;
};

absl::StatusOr<ExitCode> RunPkiInit(const Invocation& invocation,
                                    const PkiInitArguments& arguments) {
  FileSystem& files = invocation.files();
  const std::filesystem::path directory(arguments.directory);
  const std::string certificate_path = (directory / "authority.crt").string();
  const std::string key_path = (directory / "authority.key").string();
  for (const std::string& path : {certificate_path, key_path}) {
    if (files.Exists(path)) {
      return absl::AlreadyExistsError(absl::StrCat(
          path, " is there already; an authority is never overwritten, name another --directory"));
    }
  }
  ENTENTE_ASSIGN_OR_RETURN(
      const CertificateAndKey authority,
      CreateAuthority(
          {.trust_domain = arguments.trust_domain,
           .display_name = arguments.name.empty() ? arguments.trust_domain : arguments.name,
           .validity = absl::Hours(24) * arguments.days},
          invocation.Now()));
  ENTENTE_RETURN_IF_ERROR(AsOutputFileError(files.CreateFolder(arguments.directory)));
  ENTENTE_RETURN_IF_ERROR(AsOutputFileError(WritePrivateKey(key_path, authority.private_key_pem)));
  ENTENTE_RETURN_IF_ERROR(
      AsOutputFileError(WriteTextFile(files, certificate_path, authority.certificate_pem)));
  ENTENTE_ASSIGN_OR_RETURN(const CertificateDescription description,
                           DescribeCertificate(authority.certificate_pem));
  nlohmann::ordered_json json;
  json["trustDomain"] = arguments.trust_domain;
  json["certificate"] = certificate_path;
  json["privateKey"] = key_path;
  json["expiresAt"] =
      absl::FormatTime(absl::RFC3339_sec, description.not_after, absl::UTCTimeZone());
  json["sha256"] = description.sha256_fingerprint;
  invocation.output().Print(json,
                            absl::StrCat("authority of ", arguments.trust_domain, " until ",
                                         TimeText(description.not_after), ": ", certificate_path,
                                         " (give it to the "
                                         "coordinator), ",
                                         key_path, " (keep it secret)\n"));
  return ExitCode::kOk;
}

}  // namespace

void AddPkiInit(CLI::App& pki, Invocation& invocation) {
  const auto arguments = std::make_shared<PkiInitArguments>();
  Verb verb = AddVerb(pki, "init", "Make a certificate authority", invocation,
                      [&invocation, arguments] { return RunPkiInit(invocation, *arguments); });
  verb.Required("--trust-domain", arguments->trust_domain, "E.g. fr-lab.example");
  verb.Option("--name", arguments->name, "For people; default the trust domain");
  verb.Required("--directory", arguments->directory,
                "Folder for authority.crt and authority.key; made if missing");
  verb.Number("--days", arguments->days, 1, 36500, "How long it is valid; default 3650");
}

}  // namespace entente::cli
