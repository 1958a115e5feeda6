// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_COMMANDS_MODEL_OPTIONS_H_
#define TRAINER_COMMANDS_MODEL_OPTIONS_H_

// The options that several subcommands share.

#include <CLI/CLI.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "trainer/data/dataset.h"
#include "trainer/training/local_runs.h"

namespace entente::trainer {

// --recipe, --program, --device, --threads.
struct ModelOptions {
  std::string recipe;
  std::string program;
  std::string device = "auto";
  int threads = 1;

  void AddTo(CLI::App& command);
  // Reads the recipe. INVALID_ARGUMENT if it needs a program and none is given, or the other way
  // round.
  absl::StatusOr<ModelChoice> Choose(FileSystem& files, const std::string& initial_weights) const;
};

// --data, --dataset-format.
struct DataOptions {
  std::string directory;
  std::string format;

  void AddTo(CLI::App& command);
  absl::StatusOr<DatasetSource> Source() const;
};

// "-o json" or text.
void AddOutputFormat(CLI::App& command, std::string& format);

}  // namespace entente::trainer

#endif  // TRAINER_COMMANDS_MODEL_OPTIONS_H_
