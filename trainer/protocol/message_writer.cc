// SPDX-License-Identifier: Apache-2.0
#include "trainer/protocol/message_writer.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace entente::trainer {
namespace {

using nlohmann::ordered_json;

std::string AsLine(const ordered_json& message) {
  return message.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::ostream& StandardOutput() { return std::cout; }

void MessageWriter::Hello(absl::string_view trainer, absl::string_view libtorch) {
  WriteLine(AsLine({{"type", "hello"},
                    {"protocol", kTrainerProtocolVersion},
                    {"trainer", std::string(trainer)},
                    {"libtorch", std::string(libtorch)}}));
}

void MessageWriter::Prepared(const PreparedResult& result) {
  WriteLine(AsLine({{"type", "prepared"},
                    {"examples", result.examples},
                    {"held_out_examples", result.held_out_examples},
                    {"device", result.device}}));
}

void MessageWriter::Progressed(const std::string& task, const Progress& progress) {
  ordered_json message = {{"type", "progress"},
                          {"task", task},
                          {"step", progress.step},
                          {"step_count", progress.step_count}};
  if (progress.loss.has_value()) message["loss"] = *progress.loss;
  WriteLine(AsLine(message));
}

void MessageWriter::Updated(const std::string& task, const UpdateResult& result) {
  WriteLine(AsLine({{"type", "update"},
                    {"task", task},
                    {"output", result.output},
                    {"examples", result.examples},
                    {"training_loss", result.training_loss},
                    {"steps", result.steps},
                    {"seconds", result.seconds}}));
}

void MessageWriter::Evaluated(const std::string& task, const EvaluationResult& result) {
  ordered_json message = {
      {"type", "evaluated"}, {"task", task}, {"examples", result.examples}, {"loss", result.loss}};
  if (result.accuracy.has_value()) message["accuracy"] = *result.accuracy;
  WriteLine(AsLine(message));
}

void MessageWriter::Error(const std::string& task, absl::string_view message) {
  ordered_json error = {{"type", "error"}};
  if (!task.empty()) error["task"] = task;
  error["message"] = std::string(message);
  WriteLine(AsLine(error));
}

bool MessageWriter::is_open() {
  absl::MutexLock lock(&mu_);
  return out_.good();
}

void MessageWriter::WriteLine(const std::string& line) {
  absl::MutexLock lock(&mu_);
  out_ << line << std::flush;
}

}  // namespace entente::trainer
