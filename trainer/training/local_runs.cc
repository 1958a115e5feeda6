// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/local_runs.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/random_source.h"
#include "common/base/status_macros.h"
#include "common/tensor/safetensors.h"
#include "trainer/evaluation/evaluation.h"
#include "trainer/models/model_files.h"
#include "trainer/models/torch_seam.h"
#include "trainer/models/torchscript.h"
#include "trainer/training/local_training.h"
#include "trainer/training/preparation.h"

namespace entente::trainer {
namespace {

// The chosen model on the chosen device, with its initial weights.
struct PlacedModel {
  torch::Device device = torch::kCPU;
  std::unique_ptr<Model> model;
};

absl::StatusOr<PlacedModel> PlaceModel(FileSystem& files, const ModelChoice& choice) {
  PlacedModel placed;
  ENTENTE_ASSIGN_OR_RETURN(placed.device, PrepareDevice(choice.device, choice.threads));
  ENTENTE_ASSIGN_OR_RETURN(placed.model, MakeModel(choice.recipe, choice.program));
  if (!choice.initial_weights.empty()) {
    ENTENTE_RETURN_IF_ERROR(ReadModel(files, choice.initial_weights, *placed.model));
  }
  placed.model->MoveTo(placed.device);
  return placed;
}

absl::StatusOr<ModelInspection> InspectTorchScript(const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, LoadTorchScript(path));
  ModelInspection inspection{.format = "torchscript", .layout = {}, .parameter_count = 0};
  ENTENTE_ASSIGN_OR_RETURN(inspection.layout, LayoutOf(*model));
  for (const torch::Tensor& parameter : ParametersOf(*model)) {
    inspection.parameter_count += static_cast<uint64_t>(parameter.numel());
  }
  return inspection;
}

// Saved TorchScript programs are zip archives.
absl::StatusOr<bool> IsZip(FileSystem& files, const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
  char magic[4] = {};
  if (file->size_bytes() < sizeof(magic)) return false;
  ENTENTE_RETURN_IF_ERROR(file->ReadAt(0, absl::MakeSpan(magic)));
  return absl::string_view(magic, sizeof(magic)) == absl::string_view("PK\3\4", 4);
}

absl::StatusOr<UpdateResult> TrainRounds(FileSystem& files, const Clock& clock,
                                         const ModelChoice& choice, const AloneRequest& request,
                                         ProgressSink& progress) {
  const absl::Time start = clock.Now();
  ENTENTE_ASSIGN_OR_RETURN(const PlacedModel placed, PlaceModel(files, choice));
  ENTENTE_ASSIGN_OR_RETURN(const TensorExamples examples,
                           LoadPart(files, request.source, DatasetPart::kTrain, choice.recipe,
                                    placed.device, *placed.model));
  UpdateResult result;
  result.output = request.output;
  result.examples = examples.count();
  for (int64_t round = 0; round < request.rounds; ++round) {
    const LocalTrainingOptions options = {
        .training = choice.recipe.training,
        .task = choice.recipe.task,
        .seed = DeriveSeed(choice.recipe.training.seed, absl::StrCat("alone/", round)),
        .deadline = absl::InfiniteFuture()};
    ENTENTE_ASSIGN_OR_RETURN(const LocalTrainingResult local,
                             TrainLocally(options, examples, clock, *placed.model, progress));
    result.steps += local.steps;
    result.training_loss = local.training_loss;
  }
  ENTENTE_RETURN_IF_ERROR(WriteModel(files, request.output, *placed.model));
  result.seconds = absl::ToDoubleSeconds(clock.Now() - start);
  return result;
}

}  // namespace

absl::StatusOr<Layout> InitializeModel(FileSystem& files, const ModelChoice& choice,
                                       const std::string& output) {
  return WithoutExceptions([&]() -> absl::StatusOr<Layout> {
    ENTENTE_ASSIGN_OR_RETURN(const PlacedModel placed, PlaceModel(files, choice));
    ENTENTE_RETURN_IF_ERROR(WriteModel(files, output, *placed.model));
    return LayoutOf(*placed.model);
  });
}

absl::StatusOr<ModelInspection> InspectModel(FileSystem& files, const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(const bool is_zip, IsZip(files, path));
  if (is_zip) return WithoutExceptions([&] { return InspectTorchScript(path); });
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> reader,
                           SafetensorsReader::Open(files, path));
  return ModelInspection{.format = "safetensors",
                         .layout = reader->layout(),
                         .parameter_count = reader->layout().FloatElementCount()};
}

absl::StatusOr<EvaluationResult> EvaluateOnPart(FileSystem& files, const ModelChoice& choice,
                                                const DatasetSource& source, DatasetPart part,
                                                ProgressSink& progress) {
  return WithoutExceptions([&]() -> absl::StatusOr<EvaluationResult> {
    ENTENTE_ASSIGN_OR_RETURN(const PlacedModel placed, PlaceModel(files, choice));
    ENTENTE_ASSIGN_OR_RETURN(
        const TensorExamples examples,
        LoadPart(files, source, part, choice.recipe, placed.device, *placed.model));
    return EvaluateModel(choice.recipe.task, examples, *placed.model, progress);
  });
}

absl::StatusOr<UpdateResult> TrainAlone(FileSystem& files, const Clock& clock,
                                        const ModelChoice& choice, const AloneRequest& request,
                                        ProgressSink& progress) {
  return WithoutExceptions([&] { return TrainRounds(files, clock, choice, request, progress); });
}

}  // namespace entente::trainer
