// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_TRAINER_HOST_TRAINER_H_
#define WORKER_TRAINER_HOST_TRAINER_H_

// What the worker asks of whatever trains for it. trainer_host.h is the real one.

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/trainer_host/cancel_token.h"

namespace entente::worker {

// All paths are the worker's own.
struct PrepareRequest {
  // Names job, recipe, data set and program together: equal keys need no new preparation.
  std::string key;
  nlohmann::ordered_json recipe;
  std::string dataset_format;  // "idx", "csv" or "safetensors".
  std::string dataset_folder;
  std::string program;  // A file of the model cache; empty unless the model is TorchScript.
  std::string traceparent = {};  // What the trainer finds in its environment; empty: nothing.
};

struct TrainRequest {
  std::string task;         // Any text that names the task.
  std::string base_model;   // A file of the model cache.
  std::string output_name;  // A file name within the trainer's private folder.
  uint64_t seed = 0;
  absl::Duration deadline;
  // A name for the state of this very training, which is taken up if there is one; see
  // checkpoint_store.h. Empty: none is kept.
  std::string checkpoint_name = {};
  absl::Duration checkpoint_every = absl::ZeroDuration();
};

struct TrainResult {
  std::string output;  // Path of the update; what lies there is hostile until checked.
  uint64_t examples = 0;
  double training_loss = 0;
};

struct EvaluateRequest {
  std::string task;
  std::string model;  // A file of the model cache.
};

struct EvaluateResult {
  uint64_t examples = 0;
  double loss = 0;
  std::optional<double> accuracy;
};

struct StepProgress {
  uint64_t step = 0;
  uint64_t step_count = 0;
  double loss = 0;
};

// Every call blocks until the answer is there, and returns
// - CANCELLED if the token was cancelled meanwhile;
// - UNAVAILABLE if the trainer could not be started, ended or fell silent: another try may help;
// - INVALID_ARGUMENT if it does not speak the trainer protocol;
// - FAILED_PRECONDITION if it says itself that it cannot: its words.
//
// One call at a time; the last Stop may come from another thread than the others.
class Trainer {
 public:
  using ProgressCallback = std::function<void(const StepProgress&)>;

  virtual ~Trainer() = default;

  // Has the recipe and the data ready for the calls below. At once if `request.key` was prepared
  // last and nothing broke since.
  virtual absl::Status Prepare(const PrepareRequest& request, const CancelToken& cancel) = 0;

  virtual absl::StatusOr<TrainResult> Train(const TrainRequest& request,
                                            const ProgressCallback& progress,
                                            const CancelToken& cancel) = 0;

  virtual absl::StatusOr<EvaluateResult> Evaluate(const EvaluateRequest& request,
                                                  const ProgressCallback& progress,
                                                  const CancelToken& cancel) = 0;

  // Ends the trainer, if one runs.
  virtual void Stop() = 0;
};

}  // namespace entente::worker

#endif  // WORKER_TRAINER_HOST_TRAINER_H_
