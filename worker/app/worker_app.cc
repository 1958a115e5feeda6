// SPDX-License-Identifier: Apache-2.0
#include "worker/app/worker_app.h"

#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/file_system.h"
#include "common/base/limits.h"
#include "common/base/random_source.h"
#include "common/base/status_macros.h"
#include "common/base/timer_queue.h"
#include "common/config/common_checks.h"
#include "common/config/logging_level.h"
#include "common/config/proto_time.h"
#include "common/recipe/recipe_encoding.h"
#include "common/rpc/connection_probe.h"
#include "common/rpc/grpc_log.h"
#include "common/rpc/tls_credentials.h"
#include "worker/app/http_setup.h"
#include "worker/app/work_directory_lock.h"
#include "worker/app/worker_setup.h"
#include "worker/cache/model_cache.h"
#include "worker/metrics/worker_metrics.h"
#include "worker/session/away_file.h"
#include "worker/session/away_watch.h"
#include "worker/session/coordinator_link.h"
#include "worker/session/grpc_transfers.h"
#include "worker/session/residual_store.h"
#include "worker/session/resume_state.h"
#include "worker/session/task_flow.h"
#include "worker/session/task_loop.h"
#include "worker/session/token_bucket.h"
#include "worker/trainer_host/checkpoint_store.h"
#include "worker/trainer_host/trainer_host.h"
#include "worker/trainer_host/trainer_trial.h"

namespace entente::worker {
namespace {

// LibTorch takes seconds from a cold disk.
constexpr absl::Duration kTrainerTrialTime = absl::Seconds(30);
constexpr absl::Duration kProbeWait = absl::Seconds(10);
constexpr absl::Duration kTransferReconnectMax = absl::Seconds(1);
constexpr absl::string_view kStopReason = "the worker is stopping";

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

void ConfigureLog(const WorkerOptions& options, const config::v1::WorkerConfig& config) {
  if (options.log_level.has_value()) return;  // Configured with it already.
  log::Configure(options.log_format, ToLogLevel(config.logging()));
}

TlsPaths PathsOf(const config::v1::TlsFiles& files) {
  return {.certificate = files.certificate(),
          .private_key = files.private_key(),
          .authority = files.authority()};
}

std::string DatasetNames(const WorkerSetup& setup) {
  return absl::StrJoin(setup.datasets, ", ", [](std::string* out, const auto& entry) {
    absl::StrAppend(out, entry.first);
  });
}

v1::Hello MakeHello(const WorkerOptions& options, const WorkerSetup& setup) {
  v1::Hello hello;
  hello.set_protocol_version(limits::kProtocolVersion);
  hello.set_protocol_minor(limits::kProtocolMinor);
  hello.set_version(options.version);
  for (const auto& [name, dataset] : setup.datasets) hello.add_datasets(name);
  hello.set_sandbox(std::string(SandboxName(setup.trainer.sandbox.kind)));
  NameEncodings(&hello);
  for (const v1::Updates::Download download : KnownDownloads()) hello.add_downloads(download);
  for (const v1::Updates::Compression known : KnownCompressions()) hello.add_compressions(known);
  return hello;
}

void WaitForStopSignal(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  log::Info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

// Wires the parts together and lets them run until a signal comes. An error is one of the start.
absl::Status Run(const WorkerOptions& options, const WorkerSetup& setup, FileSystem* files,
                 const sigset_t& stop_signals) {
  ENTENTE_RETURN_IF_ERROR(files->CreateFolder(setup.config.work_directory()));
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock,
                           LockWorkDirectory(*files, setup.config.work_directory()));
  ENTENTE_RETURN_IF_ERROR(files->CreateFolder(setup.trainer_folder));
  // Models need not outlive the machine's power: they are checked by their digest after a restart,
  // and fetched again. Nor need what is half made. A finished update may be hours of training, a
  // checkpoint too, and a residual cannot be made again, so these are on the disk itself.
  PosixFileSystem work_files(Durability::kProcess);
  ENTENTE_ASSIGN_OR_RETURN(
      const std::unique_ptr<ModelCache> cache,
      ModelCache::Open(&work_files, setup.models_folder, setup.config.cache_bytes_max()));
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ResumeState> resume_state,
                           ResumeState::Open(files, setup.updates_folder));
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ResidualStore> residuals,
                           ResidualStore::Open(files, setup.residuals_folder));
  const SystemClock clock;
  SystemRandomSource random;
  const std::string& coordinator = setup.config.coordinator();
  const TlsPaths tls = PathsOf(setup.config.tls());
  const std::shared_ptr<grpc::Channel> channel = DialCoordinator(coordinator, tls);

  // For what lasts: a clock that somebody sets must neither silence a task nor end it.
  const SteadyClock steady_clock;
  TokenBucket upload_pace(&steady_clock, setup.config.bandwidth().upload_bytes_max());
  TokenBucket download_pace(&steady_clock, setup.config.bandwidth().download_bytes_max());
  // Connections of their own: a heartbeat would wait behind what a slow line still has to carry.
  // Who transfers backs off by itself.
  GrpcTransfers transfers(DialCoordinator(coordinator, tls, kTransferReconnectMax),
                          {.files = &work_files,
                           .cache = cache.get(),
                           .random = &random,
                           .upload_pace = &upload_pace,
                           .download_pace = &download_pace});
  WorkerMetrics metrics(
      {.version = options.version,
       .coordinator = coordinator,
       .work_directory = setup.config.work_directory(),
       .certificate = tls.certificate,
       .http_certificate =
           IsHttpOff(setup.config.http()) ? "" : setup.config.http().tls().certificate(),
       .authority = tls.authority},
      &steady_clock, files);
  ObservedTransfers observed_transfers(&transfers, &metrics);
  ENTENTE_ASSIGN_OR_RETURN(
      const std::unique_ptr<CheckpointStore> checkpoints,
      CheckpointStore::Open(files, setup.checkpoints_folder, setup.trainer_folder));
  TrainerHostOptions trainer_options = setup.trainer;
  trainer_options.checkpoints = checkpoints.get();
  TrainerHost trainer(std::move(trainer_options));
  AwayWatch away(files, &clock, AwayFilePath(setup.config.work_directory()));
  const TaskAdmission admission(
      {.datasets = &setup.datasets, .policy = &setup.policy, .clock = &clock, .away = [&away] {
         return away.Sentence();
       }});
  TaskFlow flow({.files = &work_files,
                 .clock = &steady_clock,
                 .datasets = &setup.datasets,
                 .admission = &admission,
                 .models = cache.get(),
                 .transfers = &observed_transfers,
                 .trainer = &trainer,
                 .resume_state = resume_state.get(),
                 .residuals = residuals.get(),
                 .checkpoints = checkpoints.get()});
  CoordinatorLink link(
      channel, &random,
      {.coordinator = coordinator,
       .hello = MakeHello(options, setup),
       .complete_hello =
           [&away](v1::Hello* hello) {
             if (const auto said = away.away(); said.has_value()) *hello->mutable_away() = *said;
           },
       .on_attached = [&away] { away.SayAgain(); },
       .explain = [&] { return ProbeConnection(coordinator, tls, clock.Now(), kProbeWait); }});
  ObservedRunner observed_flow(&flow, &metrics);
  metrics.SetAttachedSource([&link] { return link.is_attached(); });
  ENTENTE_ASSIGN_OR_RETURN(const WorkerHttp http,
                           StartWorkerHttp(setup.config, &clock, files, &metrics));
  ThreadPool task_thread(1);
  TimerQueue timers(&steady_clock);
  TaskLoop loop({.sender = &link,
                 .runner = &observed_flow,
                 .admission = &admission,
                 .clock = &steady_clock,
                 .executor = &task_thread,
                 .timers = &timers});
  away.Start({.sender = &link, .give_back_tasks = [&loop](const std::string& reason) {
                loop.GiveBackTasks(reason);
              }});
  link.Start(&loop);

  WaitForStopSignal(stop_signals);
  away.Stop();
  loop.Drain(ToDuration(setup.config.drain_time()));
  link.Stop(std::string(kStopReason));
  return absl::OkStatus();
}

}  // namespace

int FailWith(absl::string_view sentence, int exit_code) {
  std::fprintf(stderr, "entente-worker: %s\n", std::string(sentence).c_str());
  return exit_code;
}

int RunWorker(const WorkerOptions& options) {
  log::Configure(options.log_format, options.log_level.value_or(log::Level::kInfo));
  RouteGrpcLog();
  const sigset_t stop_signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // A trainer that ended is a status, not our end.

  PosixFileSystem files;
  absl::StatusOr<WorkerSetup> setup =
      LoadWorkerSetup(files, options.config_path, options.program_folders, SystemClock().Now());
  if (!setup.ok()) {
    log::Error("cannot start", {{"reason", setup.status().message()}});
    return kExitBadConfig;
  }
  ConfigureLog(options, setup->config);
  if (setup->trainer.sandbox.kind == SandboxKind::kNone) {
    log::Warning(
        "trainer.sandbox is none: nothing but trust keeps the trainer from the network and from "
        "this machine's files");
  }
  log::Info("entente-worker starts", {{"version", options.version},
                                      {"coordinator", setup->config.coordinator()},
                                      {"datasets", DatasetNames(*setup)},
                                      {"sandbox", SandboxName(setup->trainer.sandbox.kind)}});
  if (const absl::Status ran = Run(options, *setup, &files, stop_signals); !ran.ok()) {
    log::Error("cannot start", {{"reason", ran.message()}});
    return kExitFailed;
  }
  log::Info("stopped");
  return kExitStopped;
}

int CheckWorker(const WorkerOptions& options) {
  log::Configure(options.log_format, options.log_level.value_or(log::Level::kWarning));
  std::signal(SIGPIPE, SIG_IGN);
  PosixFileSystem files;
  const absl::StatusOr<WorkerSetup> setup =
      LoadWorkerSetup(files, options.config_path, options.program_folders, SystemClock().Now());
  if (!setup.ok()) return FailWith(setup.status().message(), kExitBadConfig);
  // A start goes on all the same and says what the coordinator says: the certificate may be
  // replaced while the worker runs.
  const absl::Status role = CheckCertificateRole(setup->config.tls().certificate(), Role::kWorker);
  if (!role.ok()) return FailWith(role.message(), kExitBadConfig);
  const SystemClock clock;
  if (const absl::Status http = CheckWorkerHttp(setup->config, &clock, &files); !http.ok()) {
    return FailWith(http.message(), kExitBadConfig);
  }
  std::printf("%s is fine: coordinator %s, data sets %s, trainer %s, sandbox %s\n",
              options.config_path.c_str(), setup->config.coordinator().c_str(),
              DatasetNames(*setup).c_str(), setup->trainer.sandbox.command.front().c_str(),
              std::string(SandboxName(setup->trainer.sandbox.kind)).c_str());
  return kExitStopped;
}

int CheckTrainer(const WorkerOptions& options) {
  log::Configure(options.log_format, options.log_level.value_or(log::Level::kError));
  std::signal(SIGPIPE, SIG_IGN);
  PosixFileSystem files;
  absl::StatusOr<WorkerSetup> setup =
      LoadWorkerSetup(files, options.config_path, options.program_folders, SystemClock().Now());
  if (!setup.ok()) return FailWith(setup.status().message(), kExitBadConfig);
  // Any of them: what is tried is the sandbox, not the data.
  setup->trainer.sandbox.data_folder = setup->datasets.begin()->second.directory();
  const absl::StatusOr<TrainerHello> hello = TryTrainer(setup->trainer.sandbox, kTrainerTrialTime);
  if (!hello.ok()) return FailWith(hello.status().message(), kExitFailed);
  std::printf("%s starts in the sandbox %s: %s\n", setup->trainer.sandbox.command.front().c_str(),
              std::string(SandboxName(setup->trainer.sandbox.kind)).c_str(),
              hello->trainer.c_str());
  return kExitStopped;
}

}  // namespace entente::worker
