// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_PROTOCOL_MESSAGE_H_
#define TRAINER_PROTOCOL_MESSAGE_H_

// What the worker says to the trainer, one JSON object a line. docs/trainer-protocol.md is the
// protocol's manual.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trainer/data/dataset.h"
#include "trainer/recipe/recipe_view.h"

namespace entente::trainer {

inline constexpr int kTrainerProtocolVersion = 1;

enum class DeviceChoice { kAuto, kCpu, kCuda };

struct PrepareRequest {
  RecipeView recipe;
  DatasetSource dataset;
  std::string program;  // The TorchScript file; empty for a built-in architecture.
  DeviceChoice device = DeviceChoice::kAuto;
  int threads = 1;
};

struct TrainRequest {
  std::string task;
  std::string base_model;
  std::string output;
  uint64_t seed = 0;
  absl::Duration deadline;
  // Where the state of the training is put this often, and taken up again if it is there. Empty:
  // nowhere.
  std::string checkpoint = {};
  absl::Duration checkpoint_every = absl::ZeroDuration();
};

struct EvaluateRequest {
  std::string task;
  std::string model;
};

struct StopRequest {};

using Request = std::variant<PrepareRequest, TrainRequest, EvaluateRequest, StopRequest>;

// A line as JSON. INVALID_ARGUMENT if it is not an object with a text "type": the protocol is
// broken then, for nothing says where the next message starts.
absl::StatusOr<nlohmann::json> ParseLine(absl::string_view line);

// INVALID_ARGUMENT, naming the field, if the message is unknown or not whole. Unknown fields are
// ignored.
absl::StatusOr<Request> ParseRequest(const nlohmann::json& message);

// The task that a message is about; empty if none.
std::string TaskOf(const nlohmann::json& message);

// "auto", "cpu", "cuda"; INVALID_ARGUMENT otherwise.
absl::StatusOr<DeviceChoice> ParseDevice(absl::string_view text);

}  // namespace entente::trainer

#endif  // TRAINER_PROTOCOL_MESSAGE_H_
