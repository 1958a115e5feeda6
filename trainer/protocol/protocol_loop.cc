// SPDX-License-Identifier: Apache-2.0
#include "trainer/protocol/protocol_loop.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "trainer/protocol/message.h"
#include "trainer/protocol/message_writer.h"
#include "trainer/protocol/progress_ticker.h"

namespace entente::trainer {
namespace {

// The next line without its end; nullopt at the end of the input.
absl::StatusOr<std::optional<std::string>> ReadLine(std::istream& in) {
  std::string line;
  for (int c = in.get(); c != std::istream::traits_type::eof(); c = in.get()) {
    if (c == '\n') return line;
    if (line.size() >= limits::kTrainerLineBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("the trainer protocol is broken: a line is longer than ",
                       limits::kTrainerLineBytesMax, " bytes"));
    }
    line.push_back(static_cast<char>(c));
  }
  if (line.empty()) return std::nullopt;
  return line;
}

// Answers requests, each on the stack of Answer().
class Responder {
 public:
  Responder(TrainingSession& session, MessageWriter& writer, absl::Duration progress_interval)
      : session_(session), writer_(writer), progress_interval_(progress_interval) {}

  absl::Status operator()(const PrepareRequest& request) {
    ENTENTE_ASSIGN_OR_RETURN(const PreparedResult result, session_.Prepare(request));
    writer_.Prepared(result);
    log::Info("prepared", {{"examples", result.examples},
                           {"held_out_examples", result.held_out_examples},
                           {"device", result.device}});
    return absl::OkStatus();
  }

  absl::Status operator()(const TrainRequest& request) {
    absl::StatusOr<UpdateResult> result;
    {
      ProgressTicker progress(writer_, request.task, progress_interval_);
      result = session_.Train(request, progress);
    }
    ENTENTE_RETURN_IF_ERROR(result.status());
    writer_.Updated(request.task, *result);
    log::Info("trained", {{"task", request.task},
                          {"steps", result->steps},
                          {"training_loss", result->training_loss},
                          {"seconds", result->seconds}});
    return absl::OkStatus();
  }

  absl::Status operator()(const EvaluateRequest& request) {
    absl::StatusOr<EvaluationResult> result;
    {
      ProgressTicker progress(writer_, request.task, progress_interval_);
      result = session_.Evaluate(request, progress);
    }
    ENTENTE_RETURN_IF_ERROR(result.status());
    writer_.Evaluated(request.task, *result);
    log::Info("evaluated",
              {{"task", request.task}, {"examples", result->examples}, {"loss", result->loss}});
    return absl::OkStatus();
  }

  absl::Status operator()(const StopRequest&) {
    stopped_ = true;
    return absl::OkStatus();
  }

  bool stopped() const { return stopped_; }

 private:
  TrainingSession& session_;
  MessageWriter& writer_;
  const absl::Duration progress_interval_;
  bool stopped_ = false;
};

absl::Status Answer(const nlohmann::json& message, Responder& responder) {
  ENTENTE_ASSIGN_OR_RETURN(const Request request, ParseRequest(message));
  return std::visit(responder, request);
}

absl::StatusOr<std::optional<nlohmann::json>> NextMessage(std::istream& in) {
  ENTENTE_ASSIGN_OR_RETURN(const std::optional<std::string> line, ReadLine(in));
  if (!line.has_value()) return std::nullopt;
  ENTENTE_ASSIGN_OR_RETURN(nlohmann::json message, ParseLine(*line));
  return std::optional<nlohmann::json>(std::move(message));
}

}  // namespace

absl::Status RunProtocol(std::istream& in, std::ostream& out, TrainingSession& session,
                         const ProtocolOptions& options) {
  MessageWriter writer(out);
  writer.Hello(options.trainer, options.libtorch);
  Responder responder(session, writer, options.progress_interval);
  while (!responder.stopped()) {
    if (!writer.is_open()) return absl::UnavailableError("the worker does not read any more");
    const absl::StatusOr<std::optional<nlohmann::json>> message = NextMessage(in);
    if (!message.ok()) {
      writer.Error("", std::string(message.status().message()));
      return message.status();
    }
    if (!message->has_value()) return absl::OkStatus();
    const absl::Status status = Answer(**message, responder);
    if (!status.ok()) {
      const std::string task = TaskOf(**message);
      writer.Error(task, std::string(status.message()));
      log::Error(std::string(status.message()), {{"task", task}});
    }
  }
  return absl::OkStatus();
}

}  // namespace entente::trainer
