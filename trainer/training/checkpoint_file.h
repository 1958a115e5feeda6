// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_TRAINING_CHECKPOINT_FILE_H_
#define TRAINER_TRAINING_CHECKPOINT_FILE_H_

// The state of a training on disk, so that another process goes on from there and ends with the
// same bits: parameters and buffers, the optimizer's state, the random generators', and how far it
// was.
//
// A safetensors file:
//   model/<name>             the model's state
//   optimizer                U8: LibTorch's archive of the optimizer
//   random/cpu, random/cuda  U8: the generators' states; the second on a CUDA device alone
//   counts                   I64 [5]: seed, step_count, examples, step, examples_seen
//   loss_sum                 F64 [1]
// The order of the examples is not in it: it follows from the seed and the step.

#include <torch/torch.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/file_system.h"
#include "trainer/models/model.h"

namespace entente::trainer {

// How far a training is.
struct TrainingPosition {
  // Which training it is: these must be those of the one that takes it up.
  uint64_t seed = 0;
  int64_t step_count = 0;
  int64_t examples = 0;
  // Steps done, and what they have seen.
  int64_t step = 0;
  int64_t examples_seen = 0;
  double loss_sum = 0;
};

// Not thread-safe.
class CheckpointFile {
 public:
  // `files` is borrowed.
  CheckpointFile(FileSystem* files, std::string path, absl::Duration every)
      : files_(*files), path_(std::move(path)), every_(every) {}

  absl::Duration every() const { return every_; }

  // Whether there is one to take up.
  bool Exists() { return files_.Exists(path_); }

  // "<path>.tmp", sync, rename: a reader finds the last whole one.
  absl::Status Write(const TrainingPosition& position, const Model& model,
                     const torch::optim::Optimizer& optimizer);

  // Puts model, optimizer and random generators where the file says, and returns how far it was.
  // FAILED_PRECONDITION if it is of another training; INVALID_ARGUMENT if it is no checkpoint, or
  // of another model. Then the model is unchanged, and the optimizer must be made anew.
  absl::StatusOr<TrainingPosition> Restore(const TrainingPosition& training, Model& model,
                                           torch::optim::Optimizer& optimizer);

 private:
  FileSystem& files_;
  const std::string path_;
  const absl::Duration every_;
};

}  // namespace entente::trainer

#endif  // TRAINER_TRAINING_CHECKPOINT_FILE_H_
