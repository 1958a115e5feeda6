// SPDX-License-Identifier: Apache-2.0
// entente model pull JOB-or-DIGEST: fetches a model, checks its digest. A pull that was cut off
// goes on where it stood.

#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/job_text.h"
#include "cli/model_name.h"
#include "cli/model_transfer.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"
#include "common/config/quoted.h"
#include "common/crypto/sha256.h"

namespace entente::cli {
namespace {

struct ModelPullArguments {
  std::string name;
  std::string output;
  bool force = false;
};

absl::StatusOr<v1::StoredModel> FindModel(CoordinatorClient& client, const std::string& name) {
  if (LooksLikeDigest(name)) return client.GetModel(name);
  ENTENTE_ASSIGN_OR_RETURN(const v1::Job job, client.GetJob(name));
  if (job.model_digest().empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "job ", Quoted(job.id()), " has no model yet; see \"entente job watch ", job.id(), "\""));
  }
  return client.GetModel(job.model_digest());
}

// Where the model goes: --output, or a name of its own in the folder that --output names.
std::string OutputPath(const std::string& output, const v1::StoredModel& model) {
  const std::string name = absl::StrCat("model-", ShortDigest(model.digest()), ".safetensors");
  std::error_code ignored;  // What cannot be looked at is no folder; writing there will say why.
  if (output.empty()) return name;
  if (!std::filesystem::is_directory(output, ignored)) return output;
  return (std::filesystem::path(output) / name).string();
}

// Whether `path` holds the model already. ALREADY_EXISTS if it holds something else.
absl::StatusOr<bool> IsThere(FileSystem& files, const std::string& path, const Digest& digest,
                             bool force) {
  if (!files.Exists(path)) return false;
  const absl::StatusOr<Digest> found = Sha256OfFile(files, path);
  if (found.ok() && *found == digest) return true;
  if (force) return false;
  return absl::AlreadyExistsError(absl::StrCat(
      path, " is there already and is another file; name another --output, or give --force"));
}

absl::StatusOr<ExitCode> RunModelPull(const Invocation& invocation,
                                      const ModelPullArguments& arguments) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  ENTENTE_ASSIGN_OR_RETURN(const v1::StoredModel model, FindModel(*client, arguments.name));
  ENTENTE_ASSIGN_OR_RETURN(const Digest digest, Digest::FromHex(model.digest()));
  const std::string path = OutputPath(arguments.output, model);
  ENTENTE_ASSIGN_OR_RETURN(const bool is_there,
                           IsThere(invocation.files(), path, digest, arguments.force));
  if (!is_there) {
    ENTENTE_RETURN_IF_ERROR(
        DownloadModel({.client = client.get(),
                       .files = &invocation.files(),
                       .random = invocation.surroundings.random,
                       .interruption = invocation.surroundings.interruption,
                       .output = &invocation.output()},
                      {.digest = digest, .total_bytes = model.total_bytes(), .path = path}));
  }
  nlohmann::ordered_json json;
  json["path"] = path;
  json["digest"] = model.digest();
  json["jobId"] = model.job_id();
  json["roundsCommitted"] = model.rounds_committed();
  json["totalBytes"] = model.total_bytes();
  invocation.output().Print(json, absl::StrCat(path, "  sha256:", model.digest(), "\n"));
  return ExitCode::kOk;
}

}  // namespace

void AddModelPull(CLI::App& model, Invocation& invocation) {
  const auto arguments = std::make_shared<ModelPullArguments>();
  Verb verb = AddVerb(model, "pull", "Fetch a model and check its digest", invocation,
                      [&invocation, arguments] { return RunModelPull(invocation, *arguments); });
  verb.Required("JOB-or-DIGEST", arguments->name,
                "A job, for its newest model, or a model's digest or its first 8 digits or more");
  verb.Option("--output", arguments->output,
              "File or folder to write to; default model-<digest>.safetensors");
  verb.Flag("--force", arguments->force, "Replace a file that is there already");
}

}  // namespace entente::cli
