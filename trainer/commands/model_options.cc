// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/model_options.h"

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"

namespace entente::trainer {

void ModelOptions::AddTo(CLI::App& command) {
  command
      .add_option(
          "--recipe", recipe,
          "The recipe with every default filled in, as `entente job submit --dry-run` prints it")
      ->required();
  command.add_option("--program", program, "The TorchScript file, if the recipe's model is one");
  command.add_option("--device", device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command.add_option("--threads", threads, "Threads to compute with")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
}

absl::StatusOr<ModelChoice> ModelOptions::Choose(FileSystem& files,
                                                 const std::string& initial_weights) const {
  ENTENTE_ASSIGN_OR_RETURN(const std::string text,
                           ReadTextFile(files, recipe, limits::kConfigBytesMax));
  ModelChoice choice{.recipe = {},
                     .program = program,
                     .initial_weights = initial_weights,
                     .device = DeviceChoice::kAuto,
                     .threads = threads};
  ENTENTE_ASSIGN_OR_RETURN(choice.recipe, ParseRecipe(text, recipe));
  ENTENTE_ASSIGN_OR_RETURN(choice.device, ParseDevice(device));
  if (choice.recipe.builtin.has_value() && !program.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(recipe, ": the model is a built-in one; leave --program out"));
  }
  if (!choice.recipe.builtin.has_value() && program.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(recipe, ": the model is a TorchScript program; give its file with --program"));
  }
  return choice;
}

void DataOptions::AddTo(CLI::App& command) {
  command.add_option("--data", directory, "The folder with the data")->required();
  command.add_option("--dataset-format", format, "idx, csv or safetensors")
      ->required()
      ->check(CLI::IsMember({"idx", "csv", "safetensors"}));
}

absl::StatusOr<DatasetSource> DataOptions::Source() const {
  DatasetSource source{.format = DatasetFormat::kIdx, .directory = directory};
  ENTENTE_ASSIGN_OR_RETURN(source.format, ParseDatasetFormat(format));
  return source;
}

void AddOutputFormat(CLI::App& command, std::string& format) {
  command.add_option("-o,--format", format, "How the result is printed: text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

}  // namespace entente::trainer
