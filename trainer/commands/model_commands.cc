// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/model_commands.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"
#include "trainer/training/local_runs.h"

namespace entente::trainer {

InitCommand::InitCommand(CLI::App& app)
    : command_(app.add_subcommand("init", "Write a model's initial weights as safetensors")) {
  model_.AddTo(*command_);
  command_->add_option(
      "--initial-weights", initial_weights_,
      "Safetensors to take the weights from; names and shapes must be the model's");
  command_->add_option("--output", output_, "The safetensors file to write")->required();
  AddOutputFormat(*command_, output_format_);
}

absl::Status InitCommand::Run(const CommandContext& context) const {
  ENTENTE_ASSIGN_OR_RETURN(const ModelChoice choice,
                           model_.Choose(context.files, initial_weights_));
  ENTENTE_ASSIGN_OR_RETURN(const Layout layout, InitializeModel(context.files, choice, output_));
  if (output_format_ == "json") {
    const nlohmann::ordered_json result = {{"output", output_},
                                           {"tensors", layout.tensors().size()},
                                           {"parameters", layout.FloatElementCount()}};
    context.out << result.dump(2) << "\n";
  } else {
    context.out << absl::StrCat(output_, ": ", layout.tensors().size(), " tensors, ",
                                layout.FloatElementCount(), " parameters\n");
  }
  return absl::OkStatus();
}

InspectCommand::InspectCommand(CLI::App& app)
    : command_(
          app.add_subcommand("inspect", "Show the tensors of a safetensors or TorchScript file")) {
  command_->add_option("file", file_, "The model file")->required();
  AddOutputFormat(*command_, output_format_);
}

absl::Status InspectCommand::Run(const CommandContext& context) const {
  ENTENTE_ASSIGN_OR_RETURN(const ModelInspection inspection, InspectModel(context.files, file_));
  if (output_format_ == "json") {
    nlohmann::ordered_json result = {{"file", file_},
                                     {"format", inspection.format},
                                     {"parameters", inspection.parameter_count},
                                     {"tensors", nlohmann::ordered_json::array()}};
    for (const TensorSpec& tensor : inspection.layout.tensors()) {
      result["tensors"].push_back({{"name", tensor.name},
                                   {"dtype", std::string(DtypeName(tensor.dtype))},
                                   {"shape", tensor.shape}});
    }
    context.out << result.dump(2) << "\n";
    return absl::OkStatus();
  }
  context.out << absl::StrCat(file_, ": ", inspection.format, ", ",
                              inspection.layout.tensors().size(), " tensors, ",
                              inspection.parameter_count, " parameters\n");
  for (const TensorSpec& tensor : inspection.layout.tensors()) {
    context.out << absl::StrFormat("  %-40s %-5s %s\n", tensor.name, DtypeName(tensor.dtype),
                                   ShapeText(tensor.shape));
  }
  return absl::OkStatus();
}

}  // namespace entente::trainer
