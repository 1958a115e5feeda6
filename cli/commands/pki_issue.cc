// SPDX-License-Identifier: Apache-2.0
// entente pki issue: a certificate for one process or person.

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands/commands.h"
#include "cli/text_layout.h"
#include "common/base/closest_word.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/quoted.h"
#include "common/identity/certificate.h"
#include "common/identity/peer_identity.h"

namespace entente::cli {
namespace {

struct PkiIssueArguments {
  std::string authority;
  std::string role;
  std::string name;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  int days = 365;
  std::string output = ".";
};

absl::Status CheckRole(const PkiIssueArguments& arguments) {
  std::vector<std::string> roles;
  for (const Role role :
       {Role::kCoordinator, Role::kWorker, Role::kSubmitter, Role::kOperator, Role::kObserver}) {
    roles.push_back(std::string(RoleName(role)));
  }
  const absl::StatusOr<Role> role = ParseRole(arguments.role);
  if (!role.ok()) {
    const std::optional<std::string> closest = ClosestWord(arguments.role, roles);
    return absl::InvalidArgumentError(
        absl::StrCat("--role is ", Quoted(arguments.role), "; ",
                     closest ? absl::StrCat("did you mean ", Quoted(*closest), "?")
                             : absl::StrCat("it must be one of ", absl::StrJoin(roles, ", "))));
  }
  if (*role == Role::kCoordinator && arguments.dns_names.empty() &&
      arguments.ip_addresses.empty()) {
    return absl::InvalidArgumentError(
        "a coordinator's certificate needs what others dial it by: give --dns NAME or --ip "
        "ADDRESS");
  }
  // A certificate that names a host passes for the coordinator there, as far as TLS can tell.
  if (*role != Role::kCoordinator &&
      !(arguments.dns_names.empty() && arguments.ip_addresses.empty())) {
    return absl::InvalidArgumentError(
        absl::StrCat("--dns and --ip are for the role coordinator, which is dialled; a ",
                     RoleName(*role), " dials out: leave them away"));
  }
  return absl::OkStatus();
}

absl::StatusOr<CertificateAndKey> ReadAuthority(FileSystem& files, const std::string& directory) {
  const std::filesystem::path folder(directory);
  CertificateAndKey authority;
  for (const auto& [name, text] : {std::pair("authority.crt", &authority.certificate_pem),
                                   std::pair("authority.key", &authority.private_key_pem)}) {
    absl::StatusOr<std::string> read =
        ReadTextFile(files, (folder / name).string(), limits::kConfigBytesMax);
    if (!read.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          read.status().message(), "; --authority is the folder that \"entente pki init\" made"));
    }
    *text = *std::move(read);
  }
  return authority;
}

absl::Status CheckNothingIsThere(FileSystem& files, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (files.Exists(path)) {
      return absl::AlreadyExistsError(absl::StrCat(
          path, " is there already; remove it first, or name another --output folder"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> RunPkiIssue(const Invocation& invocation,
                                     const PkiIssueArguments& arguments) {
  FileSystem& files = invocation.files();
  ENTENTE_RETURN_IF_ERROR(CheckRole(arguments));
  ENTENTE_ASSIGN_OR_RETURN(const CertificateAndKey authority,
                           ReadAuthority(files, arguments.authority));
  ENTENTE_ASSIGN_OR_RETURN(const CertificateDescription issuer,
                           DescribeCertificate(authority.certificate_pem));
  const std::string spiffe_id =
      absl::StrCat(issuer.spiffe_id, "/", arguments.role, "/", arguments.name);
  ENTENTE_ASSIGN_OR_RETURN(const CertificateAndKey issued,
                           IssueCertificate(authority,
                                            {.spiffe_id = spiffe_id,
                                             .dns_names = arguments.dns_names,
                                             .ip_addresses = arguments.ip_addresses,
                                             .validity = absl::Hours(24) * arguments.days},
                                            invocation.Now()));
  const std::string stem =
      (std::filesystem::path(arguments.output) / absl::StrCat(arguments.role, "-", arguments.name))
          .string();
  const std::string certificate_path = stem + ".crt";
  const std::string key_path = stem + ".key";
  ENTENTE_RETURN_IF_ERROR(CheckNothingIsThere(files, {certificate_path, key_path}));
  ENTENTE_RETURN_IF_ERROR(AsOutputFileError(files.CreateFolder(arguments.output)));
  ENTENTE_RETURN_IF_ERROR(AsOutputFileError(WritePrivateKey(key_path, issued.private_key_pem)));
  ENTENTE_RETURN_IF_ERROR(
      AsOutputFileError(WriteTextFile(files, certificate_path, issued.certificate_pem)));
  ENTENTE_ASSIGN_OR_RETURN(const CertificateDescription description,
                           DescribeCertificate(issued.certificate_pem));
  nlohmann::ordered_json json;
  json["spiffeId"] = spiffe_id;
  json["certificate"] = certificate_path;
  json["privateKey"] = key_path;
  json["expiresAt"] =
      absl::FormatTime(absl::RFC3339_sec, description.not_after, absl::UTCTimeZone());
  json["sha256"] = description.sha256_fingerprint;
  invocation.output().Print(
      json, absl::StrCat(spiffe_id, " until ", TimeText(description.not_after), ": ",
                         certificate_path, ", ", key_path, "\n"));
  return ExitCode::kOk;
}

}  // namespace

void AddPkiIssue(CLI::App& pki, Invocation& invocation) {
  const auto arguments = std::make_shared<PkiIssueArguments>();
  Verb verb = AddVerb(pki, "issue", "Make a certificate for one process or person", invocation,
                      [&invocation, arguments] { return RunPkiIssue(invocation, *arguments); });
  verb.Required("--authority", arguments->authority, "Folder that \"pki init\" made");
  verb.Required("--role", arguments->role, "coordinator, worker, submitter, operator or observer");
  verb.Required("--name", arguments->name, "E.g. gpu-1");
  verb.Option("--dns", arguments->dns_names, "Name that others dial; may be repeated");
  verb.Option("--ip", arguments->ip_addresses, "Address that others dial; may be repeated");
  verb.Number("--days", arguments->days, 1, 36500, "How long it is valid; default 365");
  verb.Option("--output", arguments->output,
              "Folder for <role>-<name>.crt and .key, made if missing; default here");
}

}  // namespace entente::cli
