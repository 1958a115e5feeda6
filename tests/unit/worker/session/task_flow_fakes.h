// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_WORKER_SESSION_TASK_FLOW_FAKES_H_
#define TESTS_UNIT_WORKER_SESSION_TASK_FLOW_FAKES_H_

// What a task flow works with, without processes and without a network.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/unit/worker/session/session_examples.h"
#include "worker/cache/model_cache.h"
#include "worker/session/transfers.h"
#include "worker/trainer_host/checkpoint_store.h"
#include "worker/trainer_host/trainer.h"

namespace entente::worker {

// Writes the update it is told to.
class FakeTrainer final : public Trainer {
 public:
  explicit FakeTrainer(PosixFileSystem* files, std::string folder)
      : files_(*files), folder_(std::move(folder)) {}

  std::vector<std::string> calls;
  std::deque<absl::Status> train_results;  // Of the next trainings, instead of OK.
  std::deque<uint64_t> steps;              // That the next trainings come to before those.
  std::vector<float> update = {1, 2, 3};
  std::string link_to;  // Leaves a link instead of an update.
  EvaluateResult evaluation{.examples = 4, .loss = 0.5, .accuracy = 0.75};
  PrepareRequest prepared;
  std::string base_model;  // Path of the model that it was given last.
  CheckpointStore* checkpoints = nullptr;
  std::string checkpoint_name;  // Of the last training.
  absl::Duration checkpoint_every;

  absl::Status Prepare(const PrepareRequest& request, const CancelToken&) override {
    calls.push_back("prepare");
    prepared = request;
    return absl::OkStatus();
  }
  absl::StatusOr<TrainResult> Train(const TrainRequest& request, const ProgressCallback& progress,
                                    const CancelToken& cancel) override {
    calls.push_back("train");
    base_model = request.base_model;
    checkpoint_name = request.checkpoint_name;
    checkpoint_every = request.checkpoint_every;
    if (!checkpoint_name.empty()) {
      const std::string at = checkpoints->HandOut(checkpoint_name).value();
      EXPECT_THAT(WriteTextFile(files_, at, "step 4"), IsOk());
    }
    if (!steps.empty()) {
      progress({.step = steps.front(), .step_count = 100, .loss = 0.5});
      steps.pop_front();
    }
    if (!train_results.empty()) {
      const absl::Status result = train_results.front();
      train_results.pop_front();
      if (!result.ok()) return result;
    }
    if (cancel.cancelled()) return cancel.status();
    progress({.step = 1, .step_count = 2, .loss = 0.5});
    const std::string output = folder_ + "/" + request.output_name;
    if (link_to.empty()) {
      WriteTensors(files_, output, update);
    } else {
      std::filesystem::create_symlink(link_to, output);
    }
    return TrainResult{.output = output, .examples = 10, .training_loss = 0.25};
  }
  absl::StatusOr<EvaluateResult> Evaluate(const EvaluateRequest& request, const ProgressCallback&,
                                          const CancelToken&) override {
    calls.push_back("evaluate");
    base_model = request.model;
    return evaluation;
  }
  void Stop() override { calls.push_back("stop"); }

 private:
  PosixFileSystem& files_;
  const std::string folder_;
};

// A coordinator that is a folder.
class FakeTransfers final : public Transfers {
 public:
  explicit FakeTransfers(ModelCache* cache) : cache_(*cache) {}

  std::map<std::string, std::string> models;  // By digest.
  absl::Status download_result;               // Of every download; OK: as the cache has it.
  absl::Status upload_result;
  std::vector<v1::UploadHeader> uploads;
  bool compressed_last = false;
  std::vector<std::string> traces;  // Of each transfer, its id.

  absl::StatusOr<ModelCache::Lease> Download(const Digest& digest, const std::string&,
                                             const TraceContext& trace, const ByteProgress&,
                                             const CancelToken&) override {
    traces.push_back(trace.trace_id());
    if (!download_result.ok()) return download_result;
    const auto model = models.find(digest.ToHex());
    if (model == models.end()) return absl::NotFoundError("there is no such model");
    auto file = cache_.BeginDownload(digest, model->second.size());
    if (!file.ok()) return file.status();
    if (absl::Status status = (*file)->Append(0, model->second); !status.ok()) return status;
    return cache_.FinishDownload(digest, *std::move(file));
  }
  absl::Status Upload(const v1::UploadHeader& header, const std::string&, bool compresses,
                      const TraceContext& trace, const ByteProgress&, const CancelToken&) override {
    traces.push_back(trace.trace_id());
    uploads.push_back(header);
    compressed_last = compresses;
    return upload_result;
  }

 private:
  ModelCache& cache_;
};

}  // namespace entente::worker

#endif  // TESTS_UNIT_WORKER_SESSION_TASK_FLOW_FAKES_H_
