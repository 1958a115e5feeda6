// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/torch_session.h"

#include <torch/version.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "trainer/evaluation/evaluation.h"
#include "trainer/models/model_files.h"
#include "trainer/models/torch_seam.h"
#include "trainer/training/local_training.h"
#include "trainer/training/preparation.h"

namespace entente::trainer {
namespace {

absl::Status NothingPrepared() {
  return absl::FailedPreconditionError("nothing is prepared; send prepare first");
}

}  // namespace

struct TorchSession::Job {
  RecipeView recipe;
  std::string directory;
  std::unique_ptr<Model> model;
  TensorExamples examples;
  TensorExamples held_out;
};

TorchSession::TorchSession(FileSystem& files, const Clock& clock) : files_(files), clock_(clock) {}
TorchSession::~TorchSession() = default;

absl::StatusOr<PreparedResult> TorchSession::Prepare(const PrepareRequest& request) {
  job_.reset();
  return WithoutExceptions([&]() -> absl::StatusOr<PreparedResult> {
    ENTENTE_ASSIGN_OR_RETURN(const torch::Device device,
                             PrepareDevice(request.device, request.threads));
    auto job = std::make_unique<Job>();
    job->recipe = request.recipe;
    job->directory = request.dataset.directory;
    ENTENTE_ASSIGN_OR_RETURN(job->model, MakeModel(request.recipe, request.program));
    job->model->MoveTo(device);
    ENTENTE_ASSIGN_OR_RETURN(job->examples, LoadPart(files_, request.dataset, DatasetPart::kTrain,
                                                     request.recipe, device, *job->model));
    if (HasPart(files_, request.dataset, DatasetPart::kHeldOut)) {
      ENTENTE_ASSIGN_OR_RETURN(
          job->held_out, LoadPart(files_, request.dataset, DatasetPart::kHeldOut, request.recipe,
                                  device, *job->model));
    }
    job_ = std::move(job);
    return PreparedResult{.examples = job_->examples.count(),
                          .held_out_examples = job_->held_out.count(),
                          .device = device.is_cuda() ? "cuda" : "cpu"};
  });
}

absl::StatusOr<UpdateResult> TorchSession::Train(const TrainRequest& request,
                                                 ProgressSink& progress) {
  if (job_ == nullptr) return NothingPrepared();
  return WithoutExceptions([&] { return TrainJob(request, progress); });
}

absl::StatusOr<UpdateResult> TorchSession::TrainJob(const TrainRequest& request,
                                                    ProgressSink& progress) {
  const absl::Time start = clock_.Now();
  ENTENTE_RETURN_IF_ERROR(ReadModel(files_, request.base_model, *job_->model));
  const std::vector<StateTensor> base = CopyFloatState(*job_->model);
  CheckpointFile checkpoint(&files_, request.checkpoint, request.checkpoint_every);
  const LocalTrainingOptions options = {
      .training = job_->recipe.training,
      .task = job_->recipe.task,
      .seed = request.seed,
      .deadline = start + request.deadline,
      .checkpoint = request.checkpoint.empty() ? nullptr : &checkpoint};
  ENTENTE_ASSIGN_OR_RETURN(const LocalTrainingResult result,
                           TrainLocally(options, job_->examples, clock_, *job_->model, progress));
  ENTENTE_RETURN_IF_ERROR(WriteUpdate(files_, request.output, base, *job_->model));
  return UpdateResult{.output = request.output,
                      .examples = job_->examples.count(),
                      .training_loss = result.training_loss,
                      .steps = result.steps,
                      .seconds = absl::ToDoubleSeconds(clock_.Now() - start)};
}

absl::StatusOr<EvaluationResult> TorchSession::Evaluate(const EvaluateRequest& request,
                                                        ProgressSink& progress) {
  if (job_ == nullptr) return NothingPrepared();
  if (job_->held_out.count() == 0) {
    return absl::FailedPreconditionError(absl::StrCat("the data folder ", job_->directory,
                                                      " has no held-out examples to evaluate on"));
  }
  return WithoutExceptions([&]() -> absl::StatusOr<EvaluationResult> {
    ENTENTE_RETURN_IF_ERROR(ReadModel(files_, request.model, *job_->model));
    return EvaluateModel(job_->recipe.task, job_->held_out, *job_->model, progress);
  });
}

std::string LibTorchVersion() {
  return absl::StrCat(TORCH_VERSION_MAJOR, ".", TORCH_VERSION_MINOR, ".", TORCH_VERSION_PATCH);
}

}  // namespace entente::trainer
