// SPDX-License-Identifier: Apache-2.0
#include "worker/app/worker_setup.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/enum_words.h"
#include "common/config/proto_time.h"
#include "common/config/worker_config.h"
#include "common/rpc/tls_credentials.h"

namespace entente::worker {
namespace {

absl::StatusOr<std::string> FindTrainer(const config::v1::WorkerConfig& config,
                                        const std::vector<std::string>& program_folders) {
  absl::StatusOr<std::string> program = FindProgram(config.trainer().command(0), program_folders);
  if (program.ok()) return program;
  return absl::NotFoundError(absl::StrCat(
      "trainer.command: ", program.status().message(),
      "; install entente-trainer beside entente-worker, or give the path of your own"));
}

absl::StatusOr<SandboxSpec> MakeSandbox(const config::v1::WorkerConfig& config,
                                        const std::vector<std::string>& program_folders) {
  const config::v1::Trainer& trainer = config.trainer();
  SandboxSpec sandbox;
  sandbox.kind = trainer.sandbox() == config::v1::Trainer::SANDBOX_NONE ? SandboxKind::kNone
                                                                        : SandboxKind::kBubblewrap;
  sandbox.command.assign(trainer.command().begin(), trainer.command().end());
  ENTENTE_ASSIGN_OR_RETURN(sandbox.command.front(), FindTrainer(config, program_folders));
  sandbox.read_only_paths.assign(trainer.read_only_paths().begin(),
                                 trainer.read_only_paths().end());
  sandbox.devices.assign(trainer.devices().begin(), trainer.devices().end());
  sandbox.threads = static_cast<int>(trainer.threads());
  if (sandbox.kind == SandboxKind::kBubblewrap) {
    ENTENTE_ASSIGN_OR_RETURN(sandbox.bubblewrap, FindBubblewrap(program_folders));
    ENTENTE_RETURN_IF_ERROR(CheckBubblewrap(sandbox.bubblewrap));
  }
  return sandbox;
}

std::string DeviceWord(config::v1::Trainer::Device device) {
  const auto* const value = config::v1::Trainer::Device_descriptor()->FindValueByNumber(device);
  return value == nullptr || device == config::v1::Trainer::DEVICE_UNSPECIFIED ? "auto"
                                                                               : EnumWord(*value);
}

}  // namespace

absl::StatusOr<WorkerSetup> LoadWorkerSetup(FileSystem& files, const std::string& config_path,
                                            const std::vector<std::string>& program_folders,
                                            absl::Time now) {
  ENTENTE_ASSIGN_OR_RETURN(config::v1::WorkerConfig config, LoadWorkerConfig(files, config_path));
  ENTENTE_ASSIGN_OR_RETURN(LocalPolicy policy, LocalPolicy::Load(files, config.policy()));
  ENTENTE_RETURN_IF_ERROR(CheckTlsFiles({.certificate = config.tls().certificate(),
                                         .private_key = config.tls().private_key(),
                                         .authority = config.tls().authority()},
                                        now));
  ENTENTE_ASSIGN_OR_RETURN(SandboxSpec sandbox, MakeSandbox(config, program_folders));
  const std::string& work = config.work_directory();
  sandbox.models_folder = absl::StrCat(work, "/models");
  sandbox.work_folder = absl::StrCat(work, "/trainer");
  OfferedDatasets datasets;
  for (const config::v1::Dataset& dataset : config.datasets()) datasets[dataset.name()] = dataset;
  WorkerSetup setup{.config = config,
                    .policy = std::move(policy),
                    .datasets = std::move(datasets),
                    .trainer = {.sandbox = sandbox,
                                .device = DeviceWord(config.trainer().device()),
                                .silence_max = ToDuration(config.trainer().silence_max())},
                    .models_folder = sandbox.models_folder,
                    .updates_folder = absl::StrCat(work, "/updates"),
                    .residuals_folder = absl::StrCat(work, "/residuals"),
                    .trainer_folder = sandbox.work_folder,
                    .checkpoints_folder = absl::StrCat(work, "/checkpoints")};
  return setup;
}

}  // namespace entente::worker
