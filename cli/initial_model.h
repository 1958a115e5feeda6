// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_INITIAL_MODEL_H_
#define CLI_INITIAL_MODEL_H_

// What a recipe needs beside itself: the TorchScript program it names and the model that round 1
// starts from. Only entente-trainer knows PyTorch, so it makes and checks the initial model
// (`entente-trainer init`); without one at hand, initial weights that the recipe names are taken as
// they are.

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/context.h"
#include "cli/interruption.h"
#include "common/base/file_system.h"
#include "common/crypto/sha256.h"
#include "entente/v1/recipe.pb.h"

namespace entente::cli {

// A recipe as it stands in a file.
struct LoadedRecipe {
  std::string path;
  v1::Recipe recipe;  // Complete and checked; digests of its files filled in.
  // Of the TorchScript program and the initial weights; empty if the recipe names none, or names
  // them by digest alone.
  std::string program_path;
  std::string initial_weights_path;
};

// Reads the recipe and hashes the files it names, which are relative to its folder.
// INVALID_ARGUMENT: what ParseRecipe says, or a file cannot be read, or its digest is not the one
// that the recipe gives.
absl::StatusOr<LoadedRecipe> LoadRecipe(FileSystem& files, const std::string& path);

// Where entente-trainer is looked for.
struct TrainerSearch {
  std::string program;       // --trainer: a path or a bare name; empty: "entente-trainer".
  std::string program_path;  // Of `entente`: a bare name is looked for beside it first,
  std::string path;          // then in these folders, as PATH has them.
};

// Path of the trainer's program; none if there is none. INVALID_ARGUMENT if --trainer names one
// that is not there.
absl::StatusOr<std::optional<std::string>> FindTrainer(FileSystem& files,
                                                       const TrainerSearch& search);

// The model round 1 starts from. Removes its temporary folder when it goes.
class InitialModel {
 public:
  // INVALID_ARGUMENT: the recipe's files do not make a model, in the trainer's own words; or there
  // is no trainer and the recipe names no initial weights, or they are not safetensors.
  // CANCELLED: interrupted.
  static absl::StatusOr<InitialModel> Make(FileSystem& files, const LoadedRecipe& recipe,
                                           const std::optional<std::string>& trainer,
                                           const Interruption& interruption);

  InitialModel(InitialModel&& other) noexcept;
  InitialModel& operator=(InitialModel&&) = delete;
  ~InitialModel();

  const std::string& path() const { return path_; }
  const Digest& digest() const { return digest_; }

 private:
  InitialModel(std::string path, std::string folder);

  std::string path_;
  std::string folder_;  // To be removed; empty if the file is the caller's own.
  Digest digest_;
};

}  // namespace entente::cli

#endif  // CLI_INITIAL_MODEL_H_
