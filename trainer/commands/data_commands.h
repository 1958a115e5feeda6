// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_COMMANDS_DATA_COMMANDS_H_
#define TRAINER_COMMANDS_DATA_COMMANDS_H_

// The subcommands about data: evaluate, split and train.

#include <CLI/CLI.hpp>
#include <string>

#include "absl/status/status.h"
#include "trainer/commands/command_line.h"
#include "trainer/commands/model_options.h"
#include "trainer/data/dataset_split.h"

namespace entente::trainer {

// Evaluates a model file on one part of the data.
class EvaluateCommand {
 public:
  // Adds itself to `app`, which keeps pointers to it until it has parsed.
  explicit EvaluateCommand(CLI::App& app);
  EvaluateCommand(const EvaluateCommand&) = delete;

  bool chosen() const { return command_->parsed(); }
  absl::Status Run(const CommandContext& context) const;

 private:
  CLI::App* const command_;  // Owned by the app.
  ModelOptions model_;
  DataOptions data_;
  std::string weights_;
  std::string part_ = "test";
  std::string output_format_ = "text";
};

// Splits one data set among members.
class SplitCommand {
 public:
  explicit SplitCommand(CLI::App& app);
  SplitCommand(const SplitCommand&) = delete;

  bool chosen() const { return command_->parsed(); }
  absl::Status Run(const CommandContext& context) const;

 private:
  CLI::App* const command_;  // Owned by the app.
  SplitFiles paths_;
  SplitOptions options_;
  std::string members_;
};

// Trains on one member's data alone.
class TrainCommand {
 public:
  explicit TrainCommand(CLI::App& app);
  TrainCommand(const TrainCommand&) = delete;

  bool chosen() const { return command_->parsed(); }
  absl::Status Run(const CommandContext& context) const;

 private:
  CLI::App* const command_;  // Owned by the app.
  ModelOptions model_;
  DataOptions data_;
  std::string initial_model_;
  int64_t rounds_ = 1;
  std::string output_;
  std::string output_format_ = "text";
};

}  // namespace entente::trainer

#endif  // TRAINER_COMMANDS_DATA_COMMANDS_H_
