// SPDX-License-Identifier: Apache-2.0
#include "sim/simulated_trainer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "sim/toy_model.h"

namespace entente::sim {
namespace {

constexpr uint64_t kModelBytesMax = 1 << 20;
constexpr int kSteps = 3;

}  // namespace

bool ThreadWait::WaitFor(const worker::CancelToken& token, absl::Duration limit) const {
  const worker::CancelToken::Registration registration = token.OnCancel([this] { thread_.Wake(); });
  return thread_.WaitUntil(scheduler_.now() + limit, [&token] { return token.cancelled(); });
}

SimulatedTrainer::SimulatedTrainer(Scheduler* scheduler, BlockingThread* thread, FileSystem* files,
                                   std::string folder, const TrainerFaults* faults,
                                   uint64_t* failures)
    : scheduler_(*scheduler),
      thread_(*thread),
      files_(*files),
      folder_(std::move(folder)),
      faults_(*faults),
      failures_(*failures) {}

absl::Status SimulatedTrainer::Work(absl::Duration time, const worker::CancelToken& cancel) {
  if (ThreadWait(&scheduler_, &thread_).WaitFor(cancel, time)) return cancel.status();
  if (thread_.finishing()) return absl::UnavailableError("the trainer ended with signal 9");
  if (scheduler_.chance().Happens(faults_.breaks)) {
    ++failures_;
    return absl::UnavailableError("the trainer ended with signal 11");
  }
  if (scheduler_.chance().Happens(faults_.fails)) {
    ++failures_;
    return absl::FailedPreconditionError("the data set cannot be read");
  }
  return absl::OkStatus();
}

absl::Status SimulatedTrainer::Prepare(const worker::PrepareRequest&,
                                       const worker::CancelToken& cancel) {
  return cancel.cancelled() ? cancel.status() : absl::OkStatus();
}

absl::StatusOr<worker::TrainResult> SimulatedTrainer::Train(const worker::TrainRequest& request,
                                                            const ProgressCallback& progress,
                                                            const worker::CancelToken& cancel) {
  ENTENTE_ASSIGN_OR_RETURN(const std::string base,
                           ReadTextFile(files_, request.base_model, kModelBytesMax));
  Chance& chance = scheduler_.chance();
  const bool is_slow = chance.Happens(faults_.slow);
  const absl::Duration time = is_slow ? chance.Between(absl::Minutes(1), absl::Hours(1))
                                      : chance.Between(absl::Seconds(1), absl::Seconds(40));
  for (int step = 1; step <= kSteps; ++step) {
    ENTENTE_RETURN_IF_ERROR(Work(time / kSteps, cancel));
    progress({.step = static_cast<uint64_t>(step), .step_count = kSteps, .loss = 0.5});
  }
  const std::string output = absl::StrCat(folder_, "/", request.output_name);
  const std::string bytes = ToyModel::FromFile(base).Train(request.seed).FileBytes();
  ENTENTE_RETURN_IF_ERROR(files_.Remove(output));
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files_.OpenForWrite(output));
  // A trainer whose disk fails says so in its own words.
  if (const absl::Status written = file->WriteAt(0, bytes); !written.ok()) {
    return absl::FailedPreconditionError(written.message());
  }
  return worker::TrainResult{
      .output = output, .examples = ToyModel::Examples(request.seed), .training_loss = 0.5};
}

absl::StatusOr<worker::EvaluateResult> SimulatedTrainer::Evaluate(
    const worker::EvaluateRequest& request, const ProgressCallback&,
    const worker::CancelToken& cancel) {
  ENTENTE_RETURN_IF_ERROR(ReadTextFile(files_, request.model, kModelBytesMax).status());
  ENTENTE_RETURN_IF_ERROR(
      Work(scheduler_.chance().Between(absl::Seconds(1), absl::Seconds(10)), cancel));
  return worker::EvaluateResult{.examples = 10, .loss = 0.25, .accuracy = 0.5};
}

}  // namespace entente::sim
