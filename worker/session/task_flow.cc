// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_flow.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/log.h"
#include "common/base/random_source.h"
#include "common/base/status_macros.h"
#include "common/codec/update_codec.h"
#include "common/config/enum_words.h"
#include "common/config/proto_time.h"
#include "common/config/proto_to_json.h"
#include "common/recipe/recipe_encoding.h"
#include "common/tensor/safetensors.h"
#include "worker/session/task_key.h"
#include "worker/session/task_trace.h"
#include "worker/session/transfer_retry.h"

namespace entente::worker {
namespace {

// Trainers in a row that broke before they came further than one before them.
constexpr int kBreaksInVainMax = 2;

std::string FormatWord(config::v1::Dataset::Format format) {
  const auto* const value = config::v1::Dataset::Format_descriptor()->FindValueByNumber(format);
  return value == nullptr ? "" : EnumWord(*value);
}

// Where the trainer's output is put, out of its reach, while it is looked at.
std::string UncheckedPath(const std::string& update_path) {
  return absl::StrCat(update_path, ".unchecked");
}

// Moves the trainer's file to where the trainer cannot replace it any more. It may have left a link
// there instead, to a file that is not its own to read: that must not be followed. One that keeps
// the file open and writes to it spoils its own update: the coordinator finds another digest.
absl::Status TakeOver(FileSystem& files, const std::string& from, const std::string& to) {
  if (const absl::Status renamed = files.Rename(from, to); !renamed.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the trainer left no update at ", from, ": ", renamed.message()));
  }
  ENTENTE_ASSIGN_OR_RETURN(const PathInfo info, files.LookAt(to));
  if (info.kind != PathInfo::Kind::kFile) {
    return absl::FailedPreconditionError(
        absl::StrCat("what the trainer left at ", from, " is not a regular file"));
  }
  return absl::OkStatus();
}

// Also a whole folder, if that is what the trainer left.
void RemoveQuietly(FileSystem& files, const std::string& path) {
  if (const absl::Status removed = files.RemoveTree(path); !removed.ok()) {
    log::Warning("cannot remove a file of a task", {{"reason", removed.message()}});
  }
}

// See file_system.h.
bool IsOfTheDisk(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
}

// The coordinator closes the stream on metrics that mean nothing, so they do not leave here.
absl::Status CheckEvaluation(const EvaluateResult& result) {
  if (result.examples == 0) {
    return absl::FailedPreconditionError("the trainer evaluated on no examples");
  }
  if (!std::isfinite(result.loss)) {
    return absl::FailedPreconditionError("the model's loss on the held-out data is not a number");
  }
  // Written so that a NaN fails it.
  if (result.accuracy.has_value() && !(*result.accuracy >= 0 && *result.accuracy <= 1)) {
    return absl::FailedPreconditionError("the trainer gave an accuracy that is not 0 to 1");
  }
  return absl::OkStatus();
}

// Read at the coordinator, too, where a disk that is full is taken for its own.
std::string ReasonOf(const absl::Status& status) {
  const bool lacks_room = absl::IsResourceExhausted(status);
  return absl::StrCat(lacks_room ? "this worker's disk, where workDirectory is: " : "",
                      status.message());
}

TaskResult EndOf(const absl::Status& status, const CancelToken& cancel) {
  TaskResult result;
  result.reason = ReasonOf(status);
  result.end = status.ok()          ? TaskResult::End::kDone
               : cancel.cancelled() ? TaskResult::End::kCancelled
                                    : TaskResult::End::kFailed;
  return result;
}

}  // namespace

TaskFlow::TaskFlow(Dependencies dependencies) : dependencies_(dependencies) {}

TaskResult TaskFlow::Run(const v1::Task& task, absl::Time deadline, const Report& report,
                         const CancelToken& cancel) {
  const Work work{.task = task, .deadline = deadline, .report = report, .cancel = cancel};
  // Once more, for it may have waited: the policy's hours may be over.
  const absl::Status permitted = dependencies_.admission->CheckStart(task);
  if (!permitted.ok()) return EndOf(permitted, cancel);
  return task.key().kind() == v1::TaskKey::KIND_EVALUATE ? RunEvaluation(work) : RunTraining(work);
}

void TaskFlow::Forget(const v1::TaskKey& key) {
  if (const absl::Status dropped = dependencies_.resume_state->Drop(key); !dropped.ok()) {
    log::Warning("cannot remove a kept update", {{"reason", dropped.message()}});
  }
  DropCheckpoint(key);
}

void TaskFlow::ForgetJob(const std::string& job_id) {
  if (const absl::Status dropped = dependencies_.resume_state->DropJob(job_id); !dropped.ok()) {
    log::Warning("cannot remove a kept update", {{"reason", dropped.message()}});
  }
  if (dependencies_.checkpoints != nullptr) {
    dependencies_.checkpoints->Drop(JobFileStem(job_id));
  }
  if (const absl::Status dropped = dependencies_.residuals->KeepOnly(job_id, Digest());
      !dropped.ok()) {
    log::Warning("cannot remove a residual", {{"reason", dropped.message()}});
  }
}

void TaskFlow::Close() { dependencies_.trainer->Stop(); }

void TaskFlow::ForgetOtherRounds(const v1::TaskKey& key) {
  if (const absl::Status dropped = dependencies_.resume_state->DropOthers(key); !dropped.ok()) {
    log::Warning("cannot remove a kept update", {{"reason", dropped.message()}});
  }
  if (dependencies_.checkpoints != nullptr) {
    dependencies_.checkpoints->DropOthers(JobFileStem(key.job_id()), TaskFileStem(key));
  }
}

TaskResult TaskFlow::RunTraining(const Work& work) {
  ForgetOtherRounds(work.task.key());
  std::optional<KeptUpdate> update = dependencies_.resume_state->Find(work.task);
  if (update.has_value()) {
    // The policy may have changed since it was made.
    const absl::Status permitted =
        dependencies_.admission->CheckUpdate(work.task, update->header.total_bytes());
    if (!permitted.ok()) {
      Forget(work.task.key());
      return EndOf(permitted, work.cancel);
    }
    log::Info("sending a kept update");
  } else {
    absl::StatusOr<KeptUpdate> made = MakeUpdate(work);
    if (!made.ok()) return EndOf(made.status(), work.cancel);
    update = *std::move(made);
  }
  // Before a byte of it is taken: the coordinator may have no room for long.
  work.report("uploading", StepProgress{.step_count = update->header.total_bytes()});
  const absl::Status sent = dependencies_.transfers->Upload(
      update->header, update->path,
      work.task.recipe().updates().compression() == v1::Updates::COMPRESSION_ZSTD,
      TransferTrace(work.task),
      [&](uint64_t bytes, uint64_t total_bytes) {
        work.report("uploading", StepProgress{.step = bytes, .step_count = total_bytes});
      },
      work.cancel);
  TaskResult result = EndOf(sent, work.cancel);
  if (result.end != TaskResult::End::kFailed) return result;
  // Whatever else went wrong, nobody refused it: it is kept until its round has moved on. That the
  // attempt is over says nothing against it either: the next one, or this one if it is opened again
  // for an update that was lost, asks for it.
  const bool is_refused = IsRefusalOfUpdate(sent);
  result.keeps_update = !is_refused || absl::IsFailedPrecondition(sent);
  result.reason = absl::StrCat("the update was not taken",
                               result.keeps_update ? ", and is kept" : "", ": ", sent.message());
  if (is_refused) result.end = TaskResult::End::kRefused;
  if (!result.keeps_update) Forget(work.task.key());
  return result;
}

TaskResult TaskFlow::RunEvaluation(const Work& work) {
  const absl::StatusOr<FetchedModel> model = FetchModel(work);
  if (!model.ok()) return EndOf(model.status(), work.cancel);
  EvaluateResult evaluation;
  const absl::Status evaluated = WithTrainer(
      work, "evaluating", [&](const Trainer::ProgressCallback& progress) -> absl::Status {
        ENTENTE_ASSIGN_OR_RETURN(
            evaluation, dependencies_.trainer->Evaluate(
                            {.task = TaskFileStem(work.task.key()), .model = model->path}, progress,
                            work.cancel));
        return absl::OkStatus();
      });
  TaskResult result = EndOf(evaluated.ok() ? CheckEvaluation(evaluation) : evaluated, work.cancel);
  if (result.end != TaskResult::End::kDone) return result;
  v1::Metrics& metrics = result.metrics.emplace();
  metrics.set_examples(evaluation.examples);
  metrics.set_loss(evaluation.loss);
  if (evaluation.accuracy.has_value()) metrics.set_accuracy(*evaluation.accuracy);
  return result;
}

absl::StatusOr<KeptUpdate> TaskFlow::MakeUpdate(const Work& work) {
  ENTENTE_ASSIGN_OR_RETURN(const FetchedModel model, FetchModel(work));
  ENTENTE_RETURN_IF_ERROR(CheckUpdateBytes(work, model.path));
  const absl::StatusOr<TrainResult> result = Train(work, model.path);
  absl::StatusOr<KeptUpdate> update =
      result.ok() ? KeepUpdate(work, *result) : absl::StatusOr<KeptUpdate>(result.status());
  // One that was stopped, or whose update the disk did not take, may be taken up by the next
  // attempt or the next start of this worker.
  const bool may_go_on = work.cancel.cancelled() || (result.ok() && IsOfTheDisk(update.status()));
  if (update.ok() || !may_go_on) DropCheckpoint(work.task.key());
  return update;
}

absl::StatusOr<TrainResult> TaskFlow::Train(const Work& work, const std::string& model_path) {
  const std::string stem = TaskFileStem(work.task.key());
  const v1::Training& training = work.task.recipe().training();
  const bool keeps_checkpoints =
      dependencies_.checkpoints != nullptr && training.has_checkpoint_every();
  TrainResult result;
  const auto train = [&](const Trainer::ProgressCallback& progress) -> absl::Status {
    ENTENTE_ASSIGN_OR_RETURN(
        result, dependencies_.trainer->Train(
                    {.task = stem,
                     .base_model = model_path,
                     .output_name = absl::StrCat(stem, ".safetensors"),
                     .seed = work.task.seed(),
                     .deadline = TimeLeft(work),
                     .checkpoint_name = keeps_checkpoints ? CheckpointName(work.task) : "",
                     .checkpoint_every = ToDuration(training.checkpoint_every())},
                    progress, work.cancel));
    return absl::OkStatus();
  };
  ENTENTE_RETURN_IF_ERROR(WithTrainer(work, "training", train));
  return result;
}

void TaskFlow::DropCheckpoint(const v1::TaskKey& key) {
  if (dependencies_.checkpoints != nullptr) dependencies_.checkpoints->Drop(TaskFileStem(key));
}

absl::Status TaskFlow::CheckUpdateBytes(const Work& work, const std::string& model_path) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> model,
                           SafetensorsReader::Open(*dependencies_.files, model_path));
  const UpdateEncoding encoding = EncodingOf(work.task.recipe().updates());
  return dependencies_.admission->CheckUpdate(work.task,
                                              UpdateFormOf(model->layout(), encoding).file_bytes());
}

absl::Duration TaskFlow::TimeLeft(const Work& work) const {
  // Never none, which would be no deadline to tell the trainer; the token ends what is overdue.
  return std::max(work.deadline - dependencies_.clock->Now(), absl::Milliseconds(1));
}

absl::StatusOr<TaskFlow::Encoded> TaskFlow::Encode(const Work& work, const std::string& source,
                                                   const std::string& target) {
  const v1::Recipe& recipe = work.task.recipe();
  const std::string& job_id = work.task.key().job_id();
  // The task's seed is this worker's and this round's own: no two round alike, and one that is made
  // again rounds as it did.
  EncodeRequest request;
  request.source = source;
  request.encoding = EncodingOf(recipe.updates());
  request.target = target;
  request.may_move_source = true;
  request.seed = DeriveSeed(work.task.seed(), "rounding");
  // There may be a residual, too, if this worker wrote topk before and is asked for fp32 now.
  const auto counted = Digest::FromHex(work.task.counted_update_digest());
  if (counted.ok()) {
    request.residual = dependencies_.residuals->Find(job_id, *counted).value_or("");
    if (request.residual.empty() && request.encoding.kind == EncodingKind::kTopk) {
      log::Warning("what topk left out of the last update is not here and is lost",
                   {{"update", counted->ToHex()}});
    }
  }
  if (UsesResidual(request)) {
    // Of updates that never counted.
    ENTENTE_RETURN_IF_ERROR(
        dependencies_.residuals->KeepOnly(job_id, counted.ok() ? *counted : Digest()));
    request.next_residual = dependencies_.residuals->NewPath(job_id);
    request.value_bound = recipe.aggregation().value_bound();
  }
  absl::StatusOr<Digest> made = EncodeUpdate(*dependencies_.files, request);
  if (absl::IsFailedPrecondition(made.status()) && !request.residual.empty()) {
    log::Warning("what topk left out of the last update cannot be used and is lost",
                 {{"reason", made.status().message()}});
    request.residual.clear();
    made = EncodeUpdate(*dependencies_.files, request);
  }
  ENTENTE_ASSIGN_OR_RETURN(const Digest digest, std::move(made));
  return Encoded{.digest = digest, .leaves_residual = UsesResidual(request)};
}

absl::StatusOr<KeptUpdate> TaskFlow::KeepUpdate(const Work& work, const TrainResult& result) {
  if (result.examples == 0) {
    return absl::FailedPreconditionError("the trainer trained on no examples");
  }
  FileSystem& files = *dependencies_.files;
  KeptUpdate update;
  update.path = dependencies_.resume_state->UpdatePath(work.task.key());
  const std::string unchecked = UncheckedPath(update.path);
  RemoveQuietly(files, unchecked);  // Of a run that was cut off.
  const absl::Status taken = TakeOver(files, result.output, unchecked);
  absl::StatusOr<Encoded> made = taken.ok() ? Encode(work, unchecked, update.path) : taken;
  RemoveQuietly(files, unchecked);
  if (absl::IsInvalidArgument(made.status())) {
    // The reason leaves the site, and where the site keeps its files is its own business.
    made = absl::InvalidArgumentError(
        absl::StrReplaceAll(made.status().message(),
                            {{unchecked, "the trainer's update"}, {update.path, "the update"}}));
  }
  if (!made.ok()) {
    RemoveQuietly(files, update.path);
    return made.status();
  }
  const Digest& digest = made->digest;
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t bytes, files.SizeBytes(update.path));
  if (made->leaves_residual) {
    // Before the update is: one that is sent must have its residual. Without the update it is never
    // asked for, and goes with the next task.
    const absl::Status kept = dependencies_.residuals->Keep(work.task.key().job_id(), digest);
    if (!kept.ok()) {
      RemoveQuietly(files, update.path);
      return kept;
    }
  }
  if (absl::Status permitted = dependencies_.admission->CheckUpdate(work.task, bytes);
      !permitted.ok()) {
    RemoveQuietly(files, update.path);
    return permitted;
  }
  v1::UpdateDescription& description = *update.header.mutable_update();
  *description.mutable_key() = work.task.key();
  description.set_base_model_digest(work.task.model_digest());
  description.set_examples(result.examples);
  description.set_training_loss(result.training_loss);
  update.header.set_digest(digest.ToHex());
  update.header.set_total_bytes(bytes);
  ENTENTE_RETURN_IF_ERROR(dependencies_.resume_state->Keep(update.header, work.task));
  return update;
}

absl::StatusOr<TaskFlow::FetchedModel> TaskFlow::FetchModel(const Work& work) {
  ENTENTE_ASSIGN_OR_RETURN(const Digest digest, Digest::FromHex(work.task.model_digest()));
  dependencies_.models->DropPrevious(work.task.key().job_id(), digest);
  ENTENTE_ASSIGN_OR_RETURN(ModelCache::Lease lease, Fetch(work, work.task.model_digest()));
  ENTENTE_ASSIGN_OR_RETURN(std::string path, lease.ExpandedPath());
  return FetchedModel{.lease = std::move(lease), .path = std::move(path)};
}

absl::StatusOr<ModelCache::Lease> TaskFlow::Fetch(const Work& work, const std::string& digest_hex) {
  ENTENTE_ASSIGN_OR_RETURN(const Digest digest, Digest::FromHex(digest_hex));
  work.report("downloading", StepProgress());
  return dependencies_.transfers->Download(
      digest, work.task.key().job_id(), TransferTrace(work.task),
      [&](uint64_t bytes, uint64_t total_bytes) {
        work.report("downloading", StepProgress{.step = bytes, .step_count = total_bytes});
      },
      work.cancel);
}

absl::Status TaskFlow::WithTrainer(
    const Work& work, absl::string_view activity,
    absl::FunctionRef<absl::Status(const Trainer::ProgressCallback&)> step) {
  std::optional<ModelCache::Lease> program;
  std::string program_path;
  if (work.task.recipe().model().has_torchscript()) {
    ENTENTE_ASSIGN_OR_RETURN(program,
                             Fetch(work, work.task.recipe().model().torchscript().digest()));
    program_path = program->path();
  }
  uint64_t furthest = 0;  // The step that a trainer came to, whichever.
  int breaks_in_vain = 0;
  while (true) {
    bool came_further = false;
    absl::Status status = Prepare(work, program_path);
    if (status.ok()) {
      status = step([&](const StepProgress& progress) {
        came_further |= progress.step > furthest;
        furthest = std::max(furthest, progress.step);
        work.report(activity, progress);
      });
    }
    if (!absl::IsUnavailable(status) || work.cancel.cancelled()) return status;
    breaks_in_vain = came_further ? 0 : breaks_in_vain + 1;
    if (breaks_in_vain == kBreaksInVainMax) return status;
    log::Warning("the trainer broke; starting it again",
                 {{"task", TaskText(work.task.key())}, {"reason", status.message()}});
  }
}

absl::Status TaskFlow::Prepare(const Work& work, const std::string& program_path) {
  const v1::Recipe& recipe = work.task.recipe();
  const config::v1::Dataset& dataset = dependencies_.datasets->at(recipe.dataset());
  work.report("preparing", StepProgress());
  return dependencies_.trainer->Prepare(
      {.key = absl::StrCat(work.task.key().job_id(), " ", work.task.recipe_digest(), " ",
                           dataset.name()),
       .recipe = ProtoToJson(recipe),
       .dataset_format = FormatWord(dataset.format()),
       .dataset_folder = dataset.directory(),
       .program = program_path,
       .traceparent = TrainerTrace(work.task).ToTraceparent()},
      work.cancel);
}

}  // namespace entente::worker
