// SPDX-License-Identifier: Apache-2.0
// entente job submit RECIPE: checks the recipe, makes the initial model, uploads what the recipe
// names, starts the job.

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/initial_model.h"
#include "cli/job_watch.h"
#include "cli/model_transfer.h"
#include "cli/text_layout.h"
#include "cli/top/top_loop.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/proto_to_json.h"
#include "common/recipe/recipe.h"

namespace entente::cli {
namespace {

struct JobSubmitArguments {
  std::string recipe;
  std::string token;
  std::string trainer;
  bool watch = false;
  bool dry_run = false;
};

ExitCode PrintDryRun(const Invocation& invocation, const v1::Recipe& recipe) {
  const std::string digest = RecipeDigest(recipe).ToHex();
  nlohmann::ordered_json json;
  json["recipe"] = ProtoToJson(recipe);
  json["digest"] = digest;
  const std::string text =
      absl::StrCat("# sha256:", digest, " of the lines below\n", CanonicalRecipeText(recipe));
  // The YAML of a recipe is the recipe itself, fit to be submitted.
  if (invocation.output().format() == OutputFormat::kYaml) {
    invocation.output().PrintText(text);
  } else {
    invocation.output().Print(json, text);
  }
  return ExitCode::kOk;
}

// Uploads the initial model and returns its digest.
absl::StatusOr<std::string> UploadInitialModel(const TransferDependencies& deps,
                                               const Invocation& invocation,
                                               const JobSubmitArguments& arguments,
                                               const LoadedRecipe& recipe) {
  const v1::Model& model = recipe.recipe.model();
  // By digest alone: the coordinator has it, and says so if it has not.
  if (model.has_initial_weights() && recipe.initial_weights_path.empty()) {
    return model.initial_weights().digest();
  }
  if (model.has_torchscript() && recipe.program_path.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        recipe.path,
        ": model.torchscript gives a digest alone, but the initial model is made of "
        "the program: add its file, or the digest of a model as model.initialWeights"));
  }
  ENTENTE_ASSIGN_OR_RETURN(
      const std::optional<std::string> trainer,
      FindTrainer(invocation.files(), {.program = arguments.trainer,
                                       .program_path = invocation.surroundings.program_path,
                                       .path = invocation.surroundings.environment.path}));
  ENTENTE_ASSIGN_OR_RETURN(const InitialModel initial_model,
                           InitialModel::Make(invocation.files(), recipe, trainer,
                                              *invocation.surroundings.interruption));
  ENTENTE_RETURN_IF_ERROR(UploadBlob(deps, {.path = initial_model.path(),
                                            .digest = initial_model.digest(),
                                            .content = v1::BlobDescription::CONTENT_MODEL}));
  return initial_model.digest().ToHex();
}

absl::StatusOr<v1::SubmitJobResponse> Submit(const Invocation& invocation,
                                             const JobSubmitArguments& arguments,
                                             const LoadedRecipe& recipe,
                                             CoordinatorClient& client) {
  const TransferDependencies deps{.client = &client,
                                  .files = &invocation.files(),
                                  .random = invocation.surroundings.random,
                                  .interruption = invocation.surroundings.interruption,
                                  .output = &invocation.output()};
  v1::SubmitJobRequest request;
  *request.mutable_recipe() = recipe.recipe;
  request.set_token(arguments.token);
  ENTENTE_ASSIGN_OR_RETURN(*request.mutable_initial_model_digest(),
                           UploadInitialModel(deps, invocation, arguments, recipe));
  if (!recipe.program_path.empty()) {
    ENTENTE_ASSIGN_OR_RETURN(const Digest digest,
                             Digest::FromHex(recipe.recipe.model().torchscript().digest()));
    ENTENTE_RETURN_IF_ERROR(
        UploadBlob(deps, {.path = recipe.program_path,
                          .digest = digest,
                          .content = v1::BlobDescription::CONTENT_TORCHSCRIPT}));
  }
  return client.SubmitJob(request);
}

// As `job watch` does, but the job is submitted: a terminal that is not known here is no failure.
absl::StatusOr<ExitCode> FollowSubmittedJob(const Invocation& invocation, CoordinatorClient& client,
                                            const std::string& job_id) {
  if (!HasFullScreen(invocation)) return WatchJobToItsEnd(invocation, client, job_id);
  absl::StatusOr<ExitCode> watched = WatchJobOnScreen(invocation, job_id);
  if (!absl::IsInvalidArgument(watched.status())) return watched;
  invocation.output().Note(watched.status().message());
  return WatchJobToItsEnd(invocation, client, job_id, WatchStyle::kLines);
}

absl::StatusOr<ExitCode> RunJobSubmit(const Invocation& invocation,
                                      const JobSubmitArguments& arguments) {
  if (arguments.token.size() > limits::kTokenBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("--token has ", arguments.token.size(),
                                                   " characters; it may have at most ",
                                                   limits::kTokenBytesMax));
  }
  ENTENTE_ASSIGN_OR_RETURN(const LoadedRecipe recipe,
                           LoadRecipe(invocation.files(), arguments.recipe));
  if (arguments.dry_run) return PrintDryRun(invocation, recipe.recipe);
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  ENTENTE_ASSIGN_OR_RETURN(const v1::SubmitJobResponse response,
                           Submit(invocation, arguments, recipe, *client));
  const std::string sentence =
      absl::StrCat("job ", Printable(response.job().id()),
                   response.created() ? " submitted" : " already submitted");
  if (!arguments.watch) {
    nlohmann::ordered_json json = ProtoToJson(response);
    json["created"] = response.created();
    invocation.output().Print(json, sentence + "\n");
    return ExitCode::kOk;
  }
  // Watching prints jobs, the submitted one first.
  if (invocation.output().is_for_people()) invocation.output().PrintText(sentence + "\n");
  return FollowSubmittedJob(invocation, *client, response.job().id());
}

}  // namespace

void AddJobSubmit(CLI::App& job, Invocation& invocation) {
  const auto arguments = std::make_shared<JobSubmitArguments>();
  Verb verb = AddVerb(job, "submit", "Start the job that a recipe describes", invocation,
                      [&invocation, arguments] { return RunJobSubmit(invocation, *arguments); });
  verb.Required("RECIPE", arguments->recipe, "The recipe, a YAML file");
  verb.NotEmpty("--token", arguments->token,
                "Makes a repeated call harmless: the same token and recipe give the same job");
  verb.Option("--trainer", arguments->trainer,
              "Program that makes the initial model; default entente-trainer, beside entente "
              "or in PATH");
  verb.Flag("--watch", arguments->watch, "Follow the job to its end, as \"job watch\" does");
  verb.Flag("--dry-run", arguments->dry_run,
            "Send nothing; print the recipe with every default filled in, and its digest");
}

}  // namespace entente::cli
