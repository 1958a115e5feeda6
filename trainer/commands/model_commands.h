// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_COMMANDS_MODEL_COMMANDS_H_
#define TRAINER_COMMANDS_MODEL_COMMANDS_H_

// The subcommands about models: init and inspect.

#include <CLI/CLI.hpp>
#include <string>

#include "absl/status/status.h"
#include "trainer/commands/command_line.h"
#include "trainer/commands/model_options.h"

namespace entente::trainer {

// Writes a model's initial weights.
class InitCommand {
 public:
  // Adds itself to `app`, which keeps pointers to it until it has parsed.
  explicit InitCommand(CLI::App& app);
  InitCommand(const InitCommand&) = delete;

  bool chosen() const { return command_->parsed(); }
  absl::Status Run(const CommandContext& context) const;

 private:
  CLI::App* const command_;  // Owned by the app.
  ModelOptions model_;
  std::string initial_weights_;
  std::string output_;
  std::string output_format_ = "text";
};

// Says what a model file holds.
class InspectCommand {
 public:
  explicit InspectCommand(CLI::App& app);
  InspectCommand(const InspectCommand&) = delete;

  bool chosen() const { return command_->parsed(); }
  absl::Status Run(const CommandContext& context) const;

 private:
  CLI::App* const command_;  // Owned by the app.
  std::string file_;
  std::string output_format_ = "text";
};

}  // namespace entente::trainer

#endif  // TRAINER_COMMANDS_MODEL_COMMANDS_H_
