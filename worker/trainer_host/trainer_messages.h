// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_TRAINER_HOST_TRAINER_MESSAGES_H_
#define WORKER_TRAINER_HOST_TRAINER_MESSAGES_H_

// The messages of the trainer protocol, one JSON object a line; see docs/trainer-protocol.md. What
// the trainer writes is hostile until parsed here.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace entente::worker {

inline constexpr int kTrainerProtocol = 1;

// Paths are as the trainer sees them.
struct PrepareMessage {
  nlohmann::ordered_json recipe;
  std::string dataset_format;  // "idx", "csv" or "safetensors".
  std::string dataset_folder;
  std::string program;  // Of a TorchScript model; empty otherwise.
  std::string device;   // "auto", "cpu" or "cuda".
  int threads = 1;
};

struct TrainMessage {
  std::string task;
  std::string base_model;
  std::string output;
  uint64_t seed = 0;
  absl::Duration deadline;
  std::string checkpoint = {};  // Empty: none.
  absl::Duration checkpoint_every = absl::ZeroDuration();
};

struct EvaluateMessage {
  std::string task;
  std::string model;
};

// One line each, without the newline.
std::string ToLine(const PrepareMessage& message);
std::string ToLine(const TrainMessage& message);
std::string ToLine(const EvaluateMessage& message);
std::string StopLine();

struct TrainerHello {
  int protocol = 0;
  std::string trainer;
  std::string libtorch;  // Empty if it has none.
};

struct TrainerPrepared {
  uint64_t examples = 0;
  uint64_t held_out_examples = 0;
  std::string device;
};

struct TrainerProgress {
  std::string task;  // Empty while preparing.
  uint64_t step = 0;
  uint64_t step_count = 0;
  double loss = 0;
};

struct TrainerUpdate {
  std::string task;
  std::string output;
  uint64_t examples = 0;
  double training_loss = 0;
  uint64_t steps = 0;
};

struct TrainerEvaluated {
  std::string task;
  uint64_t examples = 0;
  double loss = 0;
  std::optional<double> accuracy;
};

struct TrainerError {
  std::string task;  // Empty if it is about none.
  std::string message;
};

using TrainerMessage = std::variant<TrainerHello, TrainerPrepared, TrainerProgress, TrainerUpdate,
                                    TrainerEvaluated, TrainerError>;

// INVALID_ARGUMENT, quoting the line's start and naming the fault, if it is none. Keys it does not
// know are skipped. A loss may be null, which reads as NaN: JSON has no other way to write it.
absl::StatusOr<TrainerMessage> ParseTrainerMessage(absl::string_view line);

// INVALID_ARGUMENT, saying what to do, if the trainer speaks another protocol than this worker.
absl::Status CheckTrainerProtocol(const TrainerHello& hello);

}  // namespace entente::worker

#endif  // WORKER_TRAINER_HOST_TRAINER_MESSAGES_H_
