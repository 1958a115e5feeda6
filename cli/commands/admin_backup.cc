// SPDX-License-Identifier: Apache-2.0
// entente admin backup DESTINATION: copies the data directory of a coordinator that works. Stored
// files that the destination has already are not sent again.

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/backup_files.h"
#include "cli/commands/commands.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"

namespace entente::cli {
namespace {

absl::StatusOr<ExitCode> RunAdminBackup(const Invocation& invocation, const std::string& folder) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  auto present = StoredFilesIn(invocation.files(), folder);
  if (!present.ok()) return AsOutputFileError(present.status());
  v1::BackupRequest request;
  for (const auto& [digest, path] : *present) request.add_present(digest.Raw());
  auto backup = BackupFiles::Create(invocation.files(), folder, *std::move(present));
  if (!backup.ok()) return AsOutputFileError(backup.status());

  ENTENTE_RETURN_IF_ERROR(client->Backup(request, [&](const v1::BackupMessage& message) {
    return AsOutputFileError((*backup)->Take(message));
  }));
  ENTENTE_ASSIGN_OR_RETURN(const v1::BackupEnd end, (*backup)->Finish());
  nlohmann::ordered_json json;
  json["path"] = folder;
  json["fileCount"] = end.file_count();
  json["jobCount"] = end.job_count();
  json["totalBytes"] = end.total_bytes();
  json["receivedBytes"] = (*backup)->received_bytes();
  invocation.output().Print(
      json, absl::StrCat(folder, "  ", end.job_count(), " jobs in ", end.file_count(), " files, ",
                         BytesText(end.total_bytes()), "; ", BytesText((*backup)->received_bytes()),
                         " came now\n"));
  return ExitCode::kOk;
}

}  // namespace

void AddAdminBackup(CLI::App& admin, Invocation& invocation) {
  const auto folder = std::make_shared<std::string>();
  Verb verb =
      AddVerb(admin, "backup", "Copy the data directory of a coordinator that works", invocation,
              [&invocation, folder] { return RunAdminBackup(invocation, *folder); });
  verb.Required("DESTINATION", *folder, "Folder to write to; made if it is not there");
}

}  // namespace entente::cli
