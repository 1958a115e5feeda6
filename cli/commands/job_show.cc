// SPDX-License-Identifier: Apache-2.0
// entente job show JOB: one job with its round in flight and its recipe.

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/job_text.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"
#include "common/config/proto_time.h"
#include "common/recipe/recipe.h"

namespace entente::cli {
namespace {

std::string JobText(const v1::Job& job, absl::Time now) {
  const absl::Time ended = job.has_ended_at() ? ToTime(job.ended_at()) : absl::InfiniteFuture();
  std::string text = Fields({
      {"job", job.id()},
      {"state",
       absl::StrCat(JobStateWord(job.state()), job.reason().empty() ? "" : ": ", job.reason())},
      {"round", absl::StrCat(RoundPosition(job), ", ", job.rounds_committed(), " committed")},
      {"phase", HasEnded(job) ? "" : RoundPhaseWord(job.round().phase())},
      {"waiting", HasEnded(job) ? "" : job.round().waiting_for()},
      {"held-out", MetricsText(job.evaluation())},
      {"model", job.model_digest()},
      {"bytes",
       absl::StrCat(BytesText(job.bytes_up()), " up, ", BytesText(job.bytes_down()), " down")},
      {"submitted", absl::StrCat(TimeText(ToTime(job.submitted_at())), " by ", job.submitter())},
      {"ended", job.has_ended_at() ? TimeText(ended) : ""},
      {"took", ShortDuration(Elapsed(job, now))},
      {"digest", job.recipe_digest()},
  });
  if (job.has_recipe()) {
    // Printable line by line would join the lines, and the text is our own YAML: it escapes what
    // a terminal must not see.
    absl::StrAppend(&text, "\n", CanonicalRecipeText(job.recipe()));
  }
  return text;
}

absl::StatusOr<ExitCode> RunJobShow(const Invocation& invocation, const std::string& job_id) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  ENTENTE_ASSIGN_OR_RETURN(const v1::Job job, client->GetJob(job_id));
  invocation.output().Print(job, JobText(job, invocation.Now()));
  return ExitCode::kOk;
}

}  // namespace

void AddJobShow(CLI::App& job, Invocation& invocation) {
  const auto job_id = std::make_shared<std::string>();
  Verb verb = AddVerb(job, "show", "One job with its recipe", invocation,
                      [&invocation, job_id] { return RunJobShow(invocation, *job_id); });
  verb.Required("JOB", *job_id, "The job's id");
}

}  // namespace entente::cli
