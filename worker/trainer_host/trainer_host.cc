// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/trainer_host.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"

namespace entente::worker {
namespace {

// Whatever the trainer has made of its folder's permissions.
void MakeRemovable(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all,
                               std::filesystem::perm_options::add, error);
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->symlink_status(error).type() == std::filesystem::file_type::directory) {
      MakeRemovable(entry->path());
    }
  }
}

absl::Status EmptyFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  MakeRemovable(folder);
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::filesystem::remove_all(entry->path(), error);
    if (error) break;
  }
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot empty the trainer's folder ", folder, ": ", error.message()));
}

}  // namespace

TrainerHost::TrainerHost(TrainerHostOptions options) : options_(std::move(options)) {}

TrainerHost::~TrainerHost() { Stop(); }

absl::Status TrainerHost::Prepare(const PrepareRequest& request, const CancelToken& cancel) {
  if (process_ != nullptr && process_->HasEnded()) {
    log::Warning("the trainer ended while it had nothing to do",
                 {{"reason", process_->EndSentence()}});
    Abandon();
  }
  if (process_ != nullptr && prepared_key_ == request.key) return absl::OkStatus();
  Stop();
  ENTENTE_RETURN_IF_ERROR(Start(request, cancel));
  const std::string line =
      ToLine(PrepareMessage{.recipe = request.recipe,
                            .dataset_format = request.dataset_format,
                            .dataset_folder = PathInside(options_.sandbox, request.dataset_folder),
                            .program = PathInside(options_.sandbox, request.program),
                            .device = options_.device,
                            .threads = options_.sandbox.threads});
  const absl::StatusOr<TrainerPrepared> prepared = Ask<TrainerPrepared>(
      {.line = line, .task = "", .silence_max = absl::InfiniteDuration(), .progress = nullptr},
      cancel);
  if (!prepared.ok()) {
    Abandon();
    return prepared.status();
  }
  prepared_key_ = request.key;
  log::Info("trainer prepared", {{"examples", prepared->examples},
                                 {"held_out_examples", prepared->held_out_examples},
                                 {"device", prepared->device}});
  return absl::OkStatus();
}

absl::StatusOr<TrainResult> TrainerHost::Train(const TrainRequest& request,
                                               const ProgressCallback& progress,
                                               const CancelToken& cancel) {
  ENTENTE_RETURN_IF_ERROR(CheckPrepared());
  const std::string output = absl::StrCat(options_.sandbox.work_folder, "/", request.output_name);
  const std::string output_inside = PathInside(options_.sandbox, output);
  const std::string checkpoint = HandOutCheckpoint(request);
  const std::string line =
      ToLine(TrainMessage{.task = request.task,
                          .base_model = PathInside(options_.sandbox, request.base_model),
                          .output = output_inside,
                          .seed = request.seed,
                          .deadline = request.deadline,
                          .checkpoint = PathInside(options_.sandbox, checkpoint),
                          .checkpoint_every = request.checkpoint_every});
  ENTENTE_ASSIGN_OR_RETURN(const TrainerUpdate update,
                           Ask<TrainerUpdate>({.line = line,
                                               .task = request.task,
                                               .silence_max = options_.silence_max,
                                               .progress = &progress},
                                              cancel));
  if (update.output != output_inside) {
    Abandon();
    return absl::InvalidArgumentError(absl::StrCat(
        "the trainer wrote its update to another place than it was told: ", output_inside));
  }
  return TrainResult{
      .output = output, .examples = update.examples, .training_loss = update.training_loss};
}

absl::StatusOr<EvaluateResult> TrainerHost::Evaluate(const EvaluateRequest& request,
                                                     const ProgressCallback& progress,
                                                     const CancelToken& cancel) {
  ENTENTE_RETURN_IF_ERROR(CheckPrepared());
  const std::string line = ToLine(
      EvaluateMessage{.task = request.task, .model = PathInside(options_.sandbox, request.model)});
  ENTENTE_ASSIGN_OR_RETURN(const TrainerEvaluated evaluated,
                           Ask<TrainerEvaluated>({.line = line,
                                                  .task = request.task,
                                                  .silence_max = options_.silence_max,
                                                  .progress = &progress},
                                                 cancel));
  return EvaluateResult{
      .examples = evaluated.examples, .loss = evaluated.loss, .accuracy = evaluated.accuracy};
}

void TrainerHost::Stop() {
  // One that does not take the message is told by the signals that follow.
  if (process_ != nullptr) process_->WriteLine(StopLine(), kTrainerStopGrace).IgnoreError();
  if (process_ != nullptr) process_->Stop(kTrainerStopGrace);
  Abandon();
}

void TrainerHost::Abandon() {
  prepared_key_.clear();
  process_ = nullptr;
}

std::string TrainerHost::HandOutCheckpoint(const TrainRequest& request) {
  if (options_.checkpoints == nullptr || request.checkpoint_name.empty()) return "";
  const absl::StatusOr<std::string> path = options_.checkpoints->HandOut(request.checkpoint_name);
  if (path.ok()) return *path;
  log::Warning("training goes on without checkpoints", {{"reason", path.status().message()}});
  return "";
}

absl::Status TrainerHost::Start(const PrepareRequest& request, const CancelToken& cancel) {
  if (options_.checkpoints != nullptr) options_.checkpoints->TakeBack();
  ENTENTE_RETURN_IF_ERROR(EmptyFolder(options_.sandbox.work_folder));
  options_.sandbox.data_folder = request.dataset_folder;
  options_.sandbox.traceparent = request.traceparent;
  ENTENTE_ASSIGN_OR_RETURN(process_, TrainerProcess::Start(BuildLaunch(options_.sandbox)));
  ENTENTE_ASSIGN_OR_RETURN(
      const TrainerHello hello,
      Ask<TrainerHello>(
          {.line = "", .task = "", .silence_max = options_.silence_max, .progress = nullptr},
          cancel));
  if (absl::Status fits = CheckTrainerProtocol(hello); !fits.ok()) {
    Abandon();
    return fits;
  }
  log::Info("trainer started", {{"trainer", hello.trainer},
                                {"libtorch", hello.libtorch},
                                {"sandbox", SandboxName(options_.sandbox.kind)}});
  return absl::OkStatus();
}

template <typename Answer>
absl::StatusOr<Answer> TrainerHost::Ask(const Question& question, const CancelToken& cancel) {
  absl::StatusOr<TrainerMessage> message = absl::CancelledError();
  {
    const CancelToken::Registration registration =
        cancel.OnCancel([process = process_.get()] { process->Kill(); });
    message = NextAnswer(question);
  }
  absl::Status failure = message.status();
  if (message.ok()) {
    if (Answer* const answer = std::get_if<Answer>(&*message)) return std::move(*answer);
    if (const TrainerError* const error = std::get_if<TrainerError>(&*message)) {
      return absl::FailedPreconditionError(
          absl::StrCat("the trainer says: ", WithoutDataFolder(options_.sandbox, error->message)));
    }
    failure = absl::InvalidArgumentError("the trainer answered with a message of the wrong type");
  }
  Abandon();
  return cancel.cancelled() ? cancel.status() : failure;
}

absl::StatusOr<TrainerMessage> TrainerHost::NextAnswer(const Question& question) {
  if (!question.line.empty()) {
    const absl::Status written = process_->WriteLine(question.line, options_.silence_max);
    if (absl::IsDeadlineExceeded(written)) return Silent(options_.silence_max);
    ENTENTE_RETURN_IF_ERROR(written);
  }
  while (true) {
    const absl::StatusOr<std::string> answer = process_->ReadLine(question.silence_max);
    if (absl::IsDeadlineExceeded(answer.status())) return Silent(question.silence_max);
    ENTENTE_RETURN_IF_ERROR(answer.status());
    ENTENTE_ASSIGN_OR_RETURN(TrainerMessage message, ParseTrainerMessage(*answer));
    if (const TrainerProgress* const step = std::get_if<TrainerProgress>(&message)) {
      if (question.progress == nullptr) continue;
      (*question.progress)(
          {.step = step->step, .step_count = step->step_count, .loss = step->loss});
      continue;
    }
    const std::string* about = nullptr;
    if (const auto* const update = std::get_if<TrainerUpdate>(&message)) about = &update->task;
    if (const auto* const found = std::get_if<TrainerEvaluated>(&message)) about = &found->task;
    if (about != nullptr && *about != question.task) {
      return absl::InvalidArgumentError(
          "the trainer answered about another task than it was asked");
    }
    return message;
  }
}

absl::Status TrainerHost::CheckPrepared() {
  if (process_ != nullptr && !prepared_key_.empty()) return absl::OkStatus();
  return absl::UnavailableError("the trainer is not running");
}

absl::Status TrainerHost::Silent(absl::Duration limit) {
  return absl::UnavailableError(absl::StrCat("the trainer was silent for ",
                                             absl::ToDoubleSeconds(limit), " s; it was stopped"));
}

}  // namespace entente::worker
