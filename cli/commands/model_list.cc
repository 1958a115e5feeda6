// SPDX-License-Identifier: Apache-2.0
// entente model list [--job JOB]: committed models, newest first.

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/job_text.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"
#include "common/config/proto_time.h"

namespace entente::cli {
namespace {

std::string ModelsTable(const v1::ListModelsResponse& response, absl::Time now) {
  if (response.models().empty()) return "no models\n";
  Table table({"DIGEST", "JOB", "ROUNDS", "SIZE", "COMMITTED"});
  for (const v1::StoredModel& model : response.models()) {
    table.AddRow({ShortDigest(model.digest()), model.job_id(),
                  absl::StrCat(model.rounds_committed()), BytesText(model.total_bytes()),
                  AgeText(ToTime(model.committed_at()), now)});
  }
  return table.Text();
}

absl::StatusOr<ExitCode> RunModelList(const Invocation& invocation, const std::string& job_id) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  ENTENTE_ASSIGN_OR_RETURN(const v1::ListModelsResponse response, client->ListModels(job_id));
  invocation.output().Print(JsonWithList(response, "models"),
                            ModelsTable(response, invocation.Now()));
  return ExitCode::kOk;
}

}  // namespace

void AddModelList(CLI::App& model, Invocation& invocation) {
  const auto job_id = std::make_shared<std::string>();
  Verb verb = AddVerb(model, "list", "Committed models, newest first", invocation,
                      [&invocation, job_id] { return RunModelList(invocation, *job_id); });
  verb.Option("--job", *job_id, "Only this job's models");
}

}  // namespace entente::cli
