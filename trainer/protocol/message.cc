// SPDX-License-Identifier: Apache-2.0
#include "trainer/protocol/message.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente::trainer {
namespace {

using nlohmann::json;

constexpr int kDepthMax = 32;
constexpr int64_t kThreadsMax = 1024;
constexpr double kDeadlineSecondsMax = 90.0 * 24 * 3600;

// Reads the fields of one message and says which is wrong.
class Fields {
 public:
  Fields(const json& object, std::string where) : object_(object), where_(std::move(where)) {}

  absl::StatusOr<std::string> Text(const std::string& name) const {
    const json* const field = Find(name);
    if (field == nullptr || !field->is_string() || field->get_ref<const std::string&>().empty()) {
      return Error(name, "must be a text");
    }
    return field->get<std::string>();
  }

  absl::StatusOr<std::string> TextOr(const std::string& name, const std::string& fallback) const {
    if (Find(name) == nullptr) return fallback;
    return Text(name);
  }

  absl::StatusOr<int64_t> Integer(const std::string& name, int64_t min, int64_t max) const {
    const json* const field = Find(name);
    const bool fits = field != nullptr && field->is_number_integer() &&
                      (!field->is_number_unsigned() || field->get<uint64_t>() <= INT64_MAX);
    if (!fits || field->get<int64_t>() < min || field->get<int64_t>() > max) {
      return Error(name, absl::StrCat("must be a whole number from ", min, " to ", max));
    }
    return field->get<int64_t>();
  }

  absl::StatusOr<uint64_t> Seed(const std::string& name) const {
    const json* const field = Find(name);
    if (field == nullptr || !field->is_number_unsigned()) {
      return Error(name, "must be a whole number from 0 to 2^64 - 1");
    }
    return field->get<uint64_t>();
  }

  absl::StatusOr<absl::Duration> Seconds(const std::string& name) const {
    const json* const field = Find(name);
    const double seconds = field != nullptr && field->is_number() ? field->get<double>() : 0;
    if (!(seconds > 0 && seconds <= kDeadlineSecondsMax)) {
      return Error(name, "must be a number of seconds over 0 and at most 90 days");
    }
    return absl::Seconds(seconds);
  }

  absl::StatusOr<const json*> Object(const std::string& name) const {
    const json* const field = Find(name);
    if (field == nullptr || !field->is_object()) return Error(name, "must be an object");
    return field;
  }

 private:
  const json* Find(const std::string& name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  absl::Status Error(const std::string& name, absl::string_view fault) const {
    return absl::InvalidArgumentError(absl::StrCat(where_, ".", name, " ", fault));
  }

  const json& object_;
  const std::string where_;
};

absl::StatusOr<Request> ParsePrepare(const json& message) {
  const Fields fields(message, "prepare");
  ENTENTE_ASSIGN_OR_RETURN(const int64_t protocol, fields.Integer("protocol", 0, INT32_MAX));
  if (protocol != kTrainerProtocolVersion) {
    return absl::InvalidArgumentError(absl::StrCat("the worker speaks trainer protocol ", protocol,
                                                   " and this trainer ", kTrainerProtocolVersion,
                                                   "; install the same release of both"));
  }
  PrepareRequest request;
  ENTENTE_ASSIGN_OR_RETURN(const json* const recipe, fields.Object("recipe"));
  const std::string text = recipe->dump(-1, ' ', false, json::error_handler_t::replace);
  ENTENTE_ASSIGN_OR_RETURN(request.recipe, ParseRecipe(text, "recipe"));
  ENTENTE_ASSIGN_OR_RETURN(const json* const dataset, fields.Object("dataset"));
  const Fields dataset_fields(*dataset, "prepare.dataset");
  ENTENTE_ASSIGN_OR_RETURN(const std::string format, dataset_fields.Text("format"));
  ENTENTE_ASSIGN_OR_RETURN(request.dataset.format, ParseDatasetFormat(format));
  ENTENTE_ASSIGN_OR_RETURN(request.dataset.directory, dataset_fields.Text("directory"));
  if (!request.recipe.builtin.has_value()) {
    ENTENTE_ASSIGN_OR_RETURN(request.program, fields.Text("program"));
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::string device, fields.TextOr("device", "auto"));
  ENTENTE_ASSIGN_OR_RETURN(request.device, ParseDevice(device));
  ENTENTE_ASSIGN_OR_RETURN(const int64_t threads, fields.Integer("threads", 1, kThreadsMax));
  request.threads = static_cast<int>(threads);
  return request;
}

absl::StatusOr<Request> ParseTrain(const json& message) {
  const Fields fields(message, "train");
  TrainRequest request;
  ENTENTE_ASSIGN_OR_RETURN(request.task, fields.Text("task"));
  ENTENTE_ASSIGN_OR_RETURN(request.base_model, fields.Text("base_model"));
  ENTENTE_ASSIGN_OR_RETURN(request.output, fields.Text("output"));
  ENTENTE_ASSIGN_OR_RETURN(request.seed, fields.Seed("seed"));
  ENTENTE_ASSIGN_OR_RETURN(request.deadline, fields.Seconds("deadline_seconds"));
  ENTENTE_ASSIGN_OR_RETURN(request.checkpoint, fields.TextOr("checkpoint", ""));
  if (!request.checkpoint.empty()) {
    ENTENTE_ASSIGN_OR_RETURN(request.checkpoint_every, fields.Seconds("checkpoint_seconds"));
  }
  return request;
}

absl::StatusOr<Request> ParseEvaluate(const json& message) {
  const Fields fields(message, "evaluate");
  EvaluateRequest request;
  ENTENTE_ASSIGN_OR_RETURN(request.task, fields.Text("task"));
  ENTENTE_ASSIGN_OR_RETURN(request.model, fields.Text("model"));
  return request;
}

}  // namespace

absl::StatusOr<json> ParseLine(absl::string_view line) {
  bool too_deep = false;
  const auto limit_depth = [&too_deep](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kDepthMax;
    return !too_deep;
  };
  json message = json::parse(line.begin(), line.end(), limit_depth, /*allow_exceptions=*/false);
  if (too_deep || message.is_discarded() || !message.is_object()) {
    return absl::InvalidArgumentError(
        "the trainer protocol is broken: a line is not a JSON object");
  }
  const auto type = message.find("type");
  if (type == message.end() || !type->is_string()) {
    return absl::InvalidArgumentError("the trainer protocol is broken: a message has no type");
  }
  return message;
}

absl::StatusOr<Request> ParseRequest(const json& message) {
  const std::string type = message.at("type").get<std::string>();
  if (type == "prepare") return ParsePrepare(message);
  if (type == "train") return ParseTrain(message);
  if (type == "evaluate") return ParseEvaluate(message);
  if (type == "stop") return StopRequest{};
  return absl::InvalidArgumentError(
      absl::StrCat("message type \"", type.substr(0, 40),
                   "\" is unknown; expected prepare, train, evaluate or stop"));
}

std::string TaskOf(const json& message) {
  const auto task = message.find("task");
  return task != message.end() && task->is_string() ? task->get<std::string>() : "";
}

absl::StatusOr<DeviceChoice> ParseDevice(absl::string_view text) {
  if (text == "auto") return DeviceChoice::kAuto;
  if (text == "cpu") return DeviceChoice::kCpu;
  if (text == "cuda") return DeviceChoice::kCuda;
  return absl::InvalidArgumentError(
      absl::StrCat("device \"", text, "\" is unknown; use auto, cpu or cuda"));
}

}  // namespace entente::trainer
