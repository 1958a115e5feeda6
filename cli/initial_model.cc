// SPDX-License-Identifier: Apache-2.0
#include "cli/initial_model.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/child_process.h"
#include "cli/exit_code.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"
#include "common/config/quoted.h"
#include "common/recipe/recipe.h"
#include "common/tensor/safetensors.h"

namespace entente::cli {
namespace {

// Sets the digest of a file that the recipe names and returns the file's path; empty if the recipe
// names it by digest alone, as one that the coordinator has.
absl::StatusOr<std::string> FillDigest(FileSystem& files, const std::string& recipe_path,
                                       absl::string_view key, v1::FileReference* reference) {
  if (reference->file().empty()) return "";
  const std::string path = ResolvePath(recipe_path, reference->file());
  const absl::StatusOr<Digest> digest = Sha256OfFile(files, path);
  if (!digest.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(recipe_path, ": ", key, ".file is ",
                                                   Quoted(reference->file()), "; ",
                                                   digest.status().message()));
  }
  if (!reference->digest().empty() && reference->digest() != digest->ToHex()) {
    return absl::InvalidArgumentError(
        absl::StrCat(recipe_path, ": ", key, ".digest is ", reference->digest(), ", but the file ",
                     path, " has ", digest->ToHex(), "; correct the digest or leave it out"));
  }
  reference->set_digest(digest->ToHex());
  return path;
}

// The trainer's one sentence: the last line it wrote, without the time and level of a log in front
// ("2026-03-01T12:00:41.093Z error   ") and without its name.
std::string LastSentence(const std::string& error_output) {
  constexpr absl::string_view kTimeAndLevel = "Z error ";
  constexpr size_t kTimeLength = sizeof("2026-03-01T12:00:41.093") - 1;
  const absl::string_view trimmed = absl::StripAsciiWhitespace(error_output);
  absl::string_view line = trimmed.substr(trimmed.rfind('\n') + 1);
  if (line.size() > kTimeLength && absl::StartsWith(line.substr(kTimeLength), kTimeAndLevel)) {
    line = absl::StripLeadingAsciiWhitespace(line.substr(kTimeLength + kTimeAndLevel.size()));
  }
  return std::string(absl::StripPrefix(line, "entente-trainer: "));
}

absl::StatusOr<std::string> MakeTemporaryFolder() {
  std::error_code error;
  const std::filesystem::path base = std::filesystem::temp_directory_path(error);
  std::string folder = ((error ? std::filesystem::path("/tmp") : base) / "entente-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return absl::UnknownError(
        absl::StrCat("cannot make a temporary folder ", folder, ": ", std::strerror(errno)));
  }
  return folder;
}

// Makes the model in `folder` and returns its path.
absl::StatusOr<std::string> RunTrainerInit(FileSystem& files, const std::string& trainer,
                                           const LoadedRecipe& recipe, const std::string& folder,
                                           const Interruption& interruption) {
  // The trainer knows no defaults, so it gets the recipe with all of them filled in.
  const std::string complete = folder + "/recipe.yaml";
  const std::string output = folder + "/initial.safetensors";
  ENTENTE_RETURN_IF_ERROR(
      AsOutputFileError(WriteTextFile(files, complete, CanonicalRecipeText(recipe.recipe))));
  std::vector<std::string> arguments = {trainer, "init", "--recipe", complete, "--output", output};
  if (!recipe.program_path.empty()) {
    arguments.insert(arguments.end(), {"--program", recipe.program_path});
  }
  if (!recipe.initial_weights_path.empty()) {
    arguments.insert(arguments.end(), {"--initial-weights", recipe.initial_weights_path});
  }
  ENTENTE_ASSIGN_OR_RETURN(const ChildResult result, RunChild(arguments));
  ENTENTE_RETURN_IF_ERROR(interruption.Check());
  if (result.exit_status == 0) return output;
  const std::string sentence =
      absl::StrReplaceAll(LastSentence(result.error_output), {{complete, recipe.path}});
  if (result.exit_status == 2 && !sentence.empty()) return absl::InvalidArgumentError(sentence);
  return absl::UnknownError(
      absl::StrCat(trainer, " could not make the initial model: it ended with status ",
                   result.exit_status, sentence.empty() ? "" : "; it said: ", sentence));
}

// Without a trainer: the recipe's own initial weights, if they are safetensors.
absl::Status CheckInitialWeights(FileSystem& files, const LoadedRecipe& recipe) {
  if (recipe.initial_weights_path.empty()) {
    return absl::InvalidArgumentError(
        "entente-trainer, which makes the initial model, is neither beside entente nor in PATH; "
        "install it, name it with --trainer PROGRAM, or give model.initialWeights in the recipe");
  }
  return AsInputFileError(SafetensorsReader::Open(files, recipe.initial_weights_path).status());
}

}  // namespace

absl::StatusOr<LoadedRecipe> LoadRecipe(FileSystem& files, const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(files, path, limits::kConfigBytesMax);
  if (!text.ok()) return AsInputFileError(text.status());
  LoadedRecipe loaded;
  loaded.path = path;
  ENTENTE_ASSIGN_OR_RETURN(loaded.recipe, ParseRecipe(*text, path));
  v1::Model& model = *loaded.recipe.mutable_model();
  if (model.has_torchscript()) {
    ENTENTE_ASSIGN_OR_RETURN(loaded.program_path, FillDigest(files, path, "model.torchscript",
                                                             model.mutable_torchscript()));
  }
  if (model.has_initial_weights()) {
    ENTENTE_ASSIGN_OR_RETURN(
        loaded.initial_weights_path,
        FillDigest(files, path, "model.initialWeights", model.mutable_initial_weights()));
  }
  return loaded;
}

absl::StatusOr<std::optional<std::string>> FindTrainer(FileSystem& files,
                                                       const TrainerSearch& search) {
  const std::string name = search.program.empty() ? "entente-trainer" : search.program;
  if (name.find('/') != std::string::npos) {
    if (!files.Exists(name)) {
      return absl::InvalidArgumentError(absl::StrCat("--trainer ", name, " is not there"));
    }
    return name;
  }
  std::vector<std::string> folders = {
      std::filesystem::path(search.program_path).parent_path().string()};
  for (const absl::string_view folder : absl::StrSplit(search.path, ':')) {
    folders.push_back(std::string(folder));
  }
  for (const std::string& folder : folders) {
    const std::string candidate = absl::StrCat(folder, "/", name);
    if (!folder.empty() && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  if (search.program.empty()) return std::nullopt;
  return absl::InvalidArgumentError(
      absl::StrCat("--trainer ", name, " is neither beside entente nor in PATH"));
}

absl::StatusOr<InitialModel> InitialModel::Make(FileSystem& files, const LoadedRecipe& recipe,
                                                const std::optional<std::string>& trainer,
                                                const Interruption& interruption) {
  std::string folder;
  if (trainer) {
    ENTENTE_ASSIGN_OR_RETURN(folder, MakeTemporaryFolder());
  }
  // From here on the folder goes away whatever happens.
  InitialModel model(recipe.initial_weights_path, std::move(folder));
  if (trainer) {
    ENTENTE_ASSIGN_OR_RETURN(model.path_,
                             RunTrainerInit(files, *trainer, recipe, model.folder_, interruption));
  } else {
    ENTENTE_RETURN_IF_ERROR(CheckInitialWeights(files, recipe));
  }
  const absl::StatusOr<Digest> digest = Sha256OfFile(files, model.path_);
  if (!digest.ok()) return AsInputFileError(digest.status());
  model.digest_ = *digest;
  return model;
}

InitialModel::InitialModel(std::string path, std::string folder)
    : path_(std::move(path)), folder_(std::move(folder)) {}

InitialModel::InitialModel(InitialModel&& other) noexcept
    : path_(std::move(other.path_)),
      folder_(std::exchange(other.folder_, "")),
      digest_(other.digest_) {}

InitialModel::~InitialModel() {
  if (folder_.empty()) return;
  std::error_code ignored;  // A folder that stays behind in /tmp harms nobody.
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace entente::cli
