// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/trainer_messages.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/base/utf8.h"

namespace entente::worker {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr size_t kQuotedBytesMax = 120;

std::string Dump(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

// The members of one message; the first fault is kept.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  std::string Text(const char* key, bool required = true) {
    const Json* const value = Find(key, required);
    if (value == nullptr) return "";
    if (!value->is_string()) return Fail(key, "a text"), "";
    return std::string(
        ClipUtf8(value->get_ref<const std::string&>(), limits::kTrainerErrorLineBytesMax));
  }

  uint64_t Count(const char* key) {
    const Json* const value = Find(key, /*required=*/true);
    if (value == nullptr) return 0;
    if (!value->is_number_unsigned()) return Fail(key, "a whole number of at least 0"), uint64_t{0};
    return value->get<uint64_t>();
  }

  double Number(const char* key, bool required = true) {
    const Json* const value = Find(key, required);
    if (value == nullptr) return 0;
    if (value->is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (!value->is_number()) return Fail(key, "a number"), 0.0;
    return value->get<double>();
  }

  bool Has(const char* key) const { return object_.contains(key) && !object_[key].is_null(); }
  const std::string& fault() const { return fault_; }

 private:
  const Json* Find(const char* key, bool required) {
    const auto found = object_.find(key);
    if (found != object_.end()) return &*found;
    if (required && fault_.empty()) fault_ = absl::StrCat("\"", key, "\" is missing");
    return nullptr;
  }

  void Fail(const char* key, absl::string_view expected) {
    if (fault_.empty()) fault_ = absl::StrCat("\"", key, "\" must be ", expected);
  }

  const Json& object_;
  std::string fault_;
};

// `text`, which is UTF-8, fit to stand in a sentence. Its quotes and backslashes stay: the log
// escapes them.
std::string WithoutControls(absl::string_view text) {
  std::string shown;
  for (const char c : text) {
    const bool is_control = absl::ascii_iscntrl(static_cast<unsigned char>(c));
    absl::StrAppend(&shown, is_control ? absl::CHexEscape(std::string(1, c)) : std::string(1, c));
  }
  return shown;
}

absl::Status Garbage(absl::string_view line, absl::string_view fault) {
  const std::string whole = ToValidUtf8(line);
  const absl::string_view start = ClipUtf8(whole, kQuotedBytesMax);
  return absl::InvalidArgumentError(absl::StrCat(
      "the trainer wrote a line that is not a message of the trainer protocol: ",
      WithoutControls(start), start.size() < whole.size() ? "..." : "", " (", fault, ")"));
}

absl::StatusOr<TrainerMessage> FromMembers(const std::string& type, Members* members) {
  if (type == "hello") {
    TrainerHello hello;
    hello.protocol = static_cast<int>(std::min<uint64_t>(members->Count("protocol"), 1'000'000));
    hello.trainer = members->Text("trainer");
    hello.libtorch = members->Text("libtorch", /*required=*/false);
    return hello;
  }
  if (type == "prepared") {
    return TrainerPrepared{.examples = members->Count("examples"),
                           .held_out_examples = members->Count("held_out_examples"),
                           .device = members->Text("device", /*required=*/false)};
  }
  if (type == "progress") {
    return TrainerProgress{.task = members->Text("task", /*required=*/false),
                           .step = members->Count("step"),
                           .step_count = members->Count("step_count"),
                           .loss = members->Number("loss", /*required=*/false)};
  }
  if (type == "update") {
    return TrainerUpdate{.task = members->Text("task"),
                         .output = members->Text("output"),
                         .examples = members->Count("examples"),
                         .training_loss = members->Number("training_loss"),
                         .steps = members->Count("steps")};
  }
  if (type == "evaluated") {
    TrainerEvaluated evaluated{.task = members->Text("task"),
                               .examples = members->Count("examples"),
                               .loss = members->Number("loss"),
                               .accuracy = std::nullopt};
    if (members->Has("accuracy")) evaluated.accuracy = members->Number("accuracy");
    return evaluated;
  }
  if (type == "error") {
    return TrainerError{.task = members->Text("task", /*required=*/false),
                        .message = members->Text("message")};
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown type \"", absl::CHexEscape(type.substr(0, 40)), "\""));
}

}  // namespace

std::string ToLine(const PrepareMessage& message) {
  OrderedJson json = {{"type", "prepare"}, {"protocol", kTrainerProtocol}};
  json["recipe"] = message.recipe;
  json["dataset"] = {{"format", message.dataset_format}, {"directory", message.dataset_folder}};
  if (!message.program.empty()) json["program"] = message.program;
  json["device"] = message.device;
  json["threads"] = message.threads;
  return Dump(json);
}

std::string ToLine(const TrainMessage& message) {
  OrderedJson json =
      OrderedJson::object({{"type", "train"},
                           {"task", message.task},
                           {"base_model", message.base_model},
                           {"output", message.output},
                           {"seed", message.seed},
                           {"deadline_seconds", absl::ToDoubleSeconds(message.deadline)}});
  if (!message.checkpoint.empty()) {
    json["checkpoint"] = message.checkpoint;
    json["checkpoint_seconds"] = absl::ToDoubleSeconds(message.checkpoint_every);
  }
  return Dump(json);
}

std::string ToLine(const EvaluateMessage& message) {
  return Dump(OrderedJson::object(
      {{"type", "evaluate"}, {"task", message.task}, {"model", message.model}}));
}

std::string StopLine() { return Dump(OrderedJson::object({{"type", "stop"}})); }

absl::StatusOr<TrainerMessage> ParseTrainerMessage(absl::string_view line) {
  const Json json = Json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Garbage(line, "not JSON");
  if (!json.is_object()) return Garbage(line, "not an object");
  Members members(json);
  const std::string type = members.Text("type");
  if (!members.fault().empty()) return Garbage(line, members.fault());
  absl::StatusOr<TrainerMessage> message = FromMembers(type, &members);
  if (!message.ok()) return Garbage(line, message.status().message());
  if (!members.fault().empty()) return Garbage(line, members.fault());
  return message;
}

absl::Status CheckTrainerProtocol(const TrainerHello& hello) {
  if (hello.protocol == kTrainerProtocol) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the trainer speaks protocol ", hello.protocol,
                                                 ", this worker ", kTrainerProtocol,
                                                 "; install matching versions"));
}

}  // namespace entente::worker
