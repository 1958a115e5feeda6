// SPDX-License-Identifier: Apache-2.0
#include "sim/worker_node.h"

#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/recipe/recipe_encoding.h"
#include "worker/trainer_host/sandbox.h"

namespace entente::sim {
namespace {

constexpr uint64_t kCacheBytesMax = 1 << 20;
// So slow that a model of a few hundred bytes takes several chunks and seconds.
constexpr uint64_t kUploadBytesPerSecond = 100;
constexpr char kTrainerFolder[] = "/lab/trainer";

v1::Hello HelloOf(const worker::OfferedDatasets& datasets) {
  v1::Hello hello;
  hello.set_protocol_version(limits::kProtocolVersion);
  hello.set_protocol_minor(limits::kProtocolMinor);
  hello.set_version("1");
  for (const auto& [name, dataset] : datasets) hello.add_datasets(name);
  hello.set_sandbox(std::string(worker::SandboxName(worker::SandboxKind::kBubblewrap)));
  NameEncodings(&hello);
  return hello;
}

}  // namespace

// Tells the promises which receipts this worker has.
class WorkerNode::WatchedTransfers final : public worker::Transfers {
 public:
  WatchedTransfers(worker::Transfers* real, const Dependencies& deps) : real_(*real), deps_(deps) {}

  absl::StatusOr<worker::ModelCache::Lease> Download(const Digest& digest,
                                                     const std::string& job_id,
                                                     const TraceContext& trace,
                                                     const ByteProgress& progress,
                                                     const worker::CancelToken& cancel) override {
    return real_.Download(digest, job_id, trace, progress, cancel);
  }
  absl::Status Upload(const v1::UploadHeader& header, const std::string& path, bool compresses,
                      const TraceContext& trace, const ByteProgress& progress,
                      const worker::CancelToken& cancel) override {
    const absl::Status sent = real_.Upload(header, path, compresses, trace, progress, cancel);
    if (sent.ok()) deps_.promises->OnReceipt(deps_.id, header);
    return sent;
  }

 private:
  worker::Transfers& real_;
  const Dependencies& deps_;
};

WorkerNode::WorkerNode(const Dependencies& dependencies)
    : deps_(dependencies),
      steady_clock_(deps_.scheduler),
      process_(deps_.scheduler, &steady_clock_),
      thread_(deps_.scheduler),
      wait_(deps_.scheduler, &thread_),
      files_(deps_.disk, Durability::kPowerLoss, [this] { return process_.EnterFileOperation(); }),
      work_files_(deps_.disk, Durability::kProcess,
                  [this] { return process_.EnterFileOperation(); }),
      pace_(&steady_clock_, kUploadBytesPerSecond),
      admission_({.datasets = deps_.datasets, .policy = deps_.policy, .clock = deps_.clock}),
      link_({.scheduler = deps_.scheduler,
             .network = deps_.network,
             .process = &process_,
             .trace = deps_.trace,
             .machine = deps_.machine},
            HelloOf(*deps_.datasets)) {
  transfer_context_.network = deps_.network;
  transfer_context_.process = &process_;
  transfer_context_.thread = &thread_;
  transfer_context_.machine = deps_.machine;
}

WorkerNode::~WorkerNode() {
  process_.Die();
  link_.HangUp();
  thread_.Finish();
  process_.Finish();
}

absl::Status WorkerNode::Start() {
  ENTENTE_RETURN_IF_ERROR(files_.CreateFolder(kTrainerFolder));
  ENTENTE_ASSIGN_OR_RETURN(cache_,
                           worker::ModelCache::Open(&work_files_, "/lab/models", kCacheBytesMax));
  ENTENTE_ASSIGN_OR_RETURN(resume_state_, worker::ResumeState::Open(&files_, "/lab/updates"));
  ENTENTE_ASSIGN_OR_RETURN(residuals_, worker::ResidualStore::Open(&files_, "/lab/residuals"));
  if (!process_.alive()) return absl::UnavailableError("the process is dead");
  real_transfers_ = std::make_unique<worker::GrpcTransfers>(
      MakeTransferStub(&transfer_context_),
      worker::GrpcTransfers::Dependencies{.files = &work_files_,
                                          .cache = cache_.get(),
                                          .random = &deps_.scheduler->chance(),
                                          .upload_pace = &pace_,
                                          .download_pace = &pace_});
  cancellable_transfers_ =
      std::make_unique<CancellableTransfers>(real_transfers_.get(), &transfer_context_);
  transfers_ = std::make_unique<WatchedTransfers>(cancellable_transfers_.get(), deps_);
  trainer_ =
      std::make_unique<SimulatedTrainer>(deps_.scheduler, &thread_, &work_files_, kTrainerFolder,
                                         deps_.trainer_faults, deps_.trainer_failures);
  flow_ = std::make_unique<worker::TaskFlow>(
      worker::TaskFlow::Dependencies{.files = &work_files_,
                                     .clock = &steady_clock_,
                                     .datasets = deps_.datasets,
                                     .admission = &admission_,
                                     .models = cache_.get(),
                                     .transfers = transfers_.get(),
                                     .trainer = trainer_.get(),
                                     .resume_state = resume_state_.get(),
                                     .residuals = residuals_.get()});
  loop_ =
      std::make_unique<worker::TaskLoop>(worker::TaskLoop::Dependencies{.sender = &link_,
                                                                        .runner = flow_.get(),
                                                                        .admission = &admission_,
                                                                        .clock = &steady_clock_,
                                                                        .executor = &thread_,
                                                                        .timers = &process_,
                                                                        .wait = &wait_});
  link_.Start(loop_.get());
  return absl::OkStatus();
}

}  // namespace entente::sim
