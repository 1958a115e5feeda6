// SPDX-License-Identifier: Apache-2.0
#include "coordinator/app/coordinator_app.h"

#include <dlfcn.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/drain_gate.h"
#include "common/base/executor.h"
#include "common/base/file_system.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/random_source.h"
#include "common/base/status_macros.h"
#include "common/base/timer_queue.h"
#include "common/config/proto_time.h"
#include "common/http/http_server.h"
#include "common/http/status_routes.h"
#include "common/identity/certificate.h"
#include "common/identity/trust_store.h"
#include "common/rpc/tls_credentials.h"
#include "coordinator/app/http_setup.h"
#include "coordinator/engine/job_directory.h"
#include "coordinator/engine/upload_intake.h"
#include "coordinator/http/dashboard.h"
#include "coordinator/http/event_feed.h"
#include "coordinator/inventory/data_directory.h"
#include "coordinator/members/worker_registry.h"
#include "coordinator/metrics/coordinator_metrics.h"
#include "coordinator/models/model_store.h"
#include "coordinator/notify/notifier_setup.h"
#include "coordinator/service/admin_service.h"
#include "coordinator/service/caller.h"
#include "coordinator/service/job_service.h"
#include "coordinator/service/member_service.h"
#include "coordinator/service/model_service.h"
#include "coordinator/service/transfer_service.h"
#include "coordinator/service/worker_service.h"
#include "coordinator/store/observed_journal.h"
#include "coordinator/store/sqlite_journal.h"
#include "coordinator/updates/update_spool.h"

namespace entente {
namespace {

using config::v1::CoordinatorConfig;

// At once: a small job does not wait for a large one's aggregation, and memory stays bounded.
constexpr int kAggregationsMax = 2;

int CoreCount() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

// Of a pool whose work often waits for the disk: on few cores more threads than those.
int DiskThreadCount() { return std::max(4, CoreCount()); }

std::vector<members::MemberInfo> MembersOf(const CoordinatorConfig& config) {
  std::vector<members::MemberInfo> members;
  for (const config::v1::MemberConfig& member : config.members()) {
    members.push_back({.id = MemberId(member.id()),
                       .display_name = member.display_name(),
                       .jurisdiction = member.jurisdiction(),
                       .trust_domain = member.trust_domain()});
  }
  return members;
}

absl::StatusOr<std::unique_ptr<TrustStore>> TrustOf(FileSystem& files,
                                                    const CoordinatorConfig& config) {
  std::vector<TrustStore::Authority> authorities;
  ENTENTE_ASSIGN_OR_RETURN(
      const std::string alliance_pem,
      ReadTextFile(files, config.alliance().authority(), limits::kConfigBytesMax));
  // The alliance governs and submits; it has no data, so it has no workers.
  authorities.push_back({.trust_domain = config.alliance().trust_domain(),
                         .certificates_pem = alliance_pem,
                         .roles = {Role::kOperator, Role::kSubmitter, Role::kObserver}});
  for (const config::v1::MemberConfig& member : config.members()) {
    ENTENTE_ASSIGN_OR_RETURN(const std::string pem,
                             ReadTextFile(files, member.authority(), limits::kConfigBytesMax));
    // A member must not be able to make itself an operator.
    authorities.push_back({.trust_domain = member.trust_domain(),
                           .certificates_pem = pem,
                           .roles = {Role::kWorker, Role::kSubmitter, Role::kObserver}});
  }
  return TrustStore::Create(std::move(authorities));
}

// gRPC's reflection library switches itself on in every server of a program that is linked with it,
// so it is loaded only where the configuration asks for it.
absl::Status LoadReflection() {
  if (dlopen(ENTENTE_REFLECTION_LIBRARY, RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("reflection is on, but its library cannot be loaded: ", dlerror(),
                     "; install it or set reflection: false"));
  }
  return absl::OkStatus();
}

TlsPaths TlsOf(const CoordinatorConfig& config, const std::string& authority) {
  return {.certificate = config.tls().certificate(),
          .private_key = config.tls().private_key(),
          .authority = authority};
}

Durability DurabilityOf(const CoordinatorConfig& config) {
  return config.durability() == CoordinatorConfig::DURABILITY_PROCESS ? Durability::kProcess
                                                                      : Durability::kPowerLoss;
}

// What the configured transfers can need, each with a window read ahead, one message whole and one
// on its way into it; and control streams. Beyond it somebody does what no worker of ours does.
ServerMemory MemoryOf(const config::v1::CoordinatorLimits& limits) {
  // 64 KiB for each of a thousand workers, as many as are taken by default.
  constexpr size_t kControlBytes = size_t{64} << 20;
  const size_t transfer_bytes =
      limits.transfer_window_bytes_max() + 2 * size_t{limits::kMessageBytesMax};
  return {.window_bytes = static_cast<int>(limits.transfer_window_bytes_max()),
          .quota_bytes = kControlBytes + limits.transfers_max() * transfer_bytes};
}

}  // namespace

// In order of construction; destroyed from the bottom up, the servers first.
struct CoordinatorApp::Parts {
  Parts(const CoordinatorConfig& config_in, FailureListener on_failure_in)
      : config(config_in),
        on_failure(std::move(on_failure_in)),
        files(DurabilityOf(config)),
        aggregation_threads(config.aggregation_threads() > 0
                                ? static_cast<int>(config.aggregation_threads())
                                : CoreCount()),
        workers(MembersOf(config), &clock, config.limits().workers_max()),
        executor(DiskThreadCount()),
        transfer_executor(DiskThreadCount()),
        aggregation_pool(aggregation_threads),
        aggregation_lane(kAggregationsMax) {}

  // Nothing new is started, and no timer fires into a pool that is gone.
  ~Parts() {
    gate.CloseAndWait(absl::ZeroDuration());
    if (timers != nullptr) timers->Stop();
    if (pauses != nullptr) pauses->Stop();
  }

  const CoordinatorConfig config;
  const FailureListener on_failure;
  PosixFileSystem files;
  const int aggregation_threads;
  SystemClock clock;
  SteadyClock steady_clock;
  SystemRandomSource random;
  std::unique_ptr<TrustStore> trust;
  std::unique_ptr<store::SqliteJournal> journal;
  std::unique_ptr<store::ObservedJournal> observed_journal;  // What the jobs write to.
  std::unique_ptr<models::ModelStore> models;
  std::unique_ptr<updates::UpdateSpool> spool;
  members::WorkerRegistry workers;
  DrainGate gate;
  std::atomic<bool> stop_aggregations{false};
  std::shared_ptr<notify::Notifier> notifier;  // Timers share it. Null: nobody is told.
  std::unique_ptr<metrics::CoordinatorMetrics> metrics;
  // The jobs outlive the threads that work on them.
  std::unique_ptr<engine::JobDirectory> jobs;
  std::unique_ptr<engine::UploadIntake> uploads;
  std::unique_ptr<TimerQueue> timers;  // By `clock`: see common/base/timers.h.
  std::unique_ptr<TimerQueue> pauses;  // By `steady_clock`.
  ThreadPool executor;
  ThreadPool transfer_executor;  // What ends there posts to `executor`.
  ThreadPool aggregation_pool;
  ThreadPool aggregation_lane;
  std::shared_ptr<dashboard::EventFeed> feed;  // Shared with the routes that lead to it.
  service::OpenWatches watches;
  std::unique_ptr<service::CallerCheck> callers;
  std::unique_ptr<service::AdminService> admin_service;
  std::unique_ptr<service::JobService> job_service;
  std::unique_ptr<service::MemberService> member_service;
  std::unique_ptr<service::ModelService> model_service;
  std::unique_ptr<service::TransferService> transfer_service;
  std::unique_ptr<service::WorkerService> worker_service;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<http::HttpServer> http;  // Null: off.
  int port = 0;

  HttpParts ForHttp() { return {.clock = &clock, .files = &files, .trust = trust.get()}; }
  // Whoever wants to know what happens to jobs.
  engine::JobObserver JobObserver();
  absl::Status OpenData();
  absl::Status StartNotifier(const std::string& version);
  void MakeMetrics(const std::string& version);
  absl::Status ListenForHttp(const std::string& version);
  absl::Status RestoreJobs(const std::string& version);
  void MakeServices(const std::string& version);
  absl::Status Listen();
  dashboard::StatusSources StatusOf(const std::string& version) const;
  void FeedBrowsers(const std::string& version);
};

absl::Status CoordinatorApp::Parts::OpenData() {
  const std::string& folder = config.data_directory();
  ENTENTE_RETURN_IF_ERROR(inventory::MakeDataDirectory(files, folder));
  ENTENTE_RETURN_IF_ERROR(inventory::CheckJournalIsThere(files, folder));
  const auto on_loss = [this](const absl::Status& reason) {
    metrics->SetReadiness(absl::UnavailableError(
        "what the journal holds on its disk is not known any more, so the coordinator ends; its "
        "log says why, and a start anew reads the journal"));
    on_failure(reason);
  };
  ENTENTE_RETURN_IF_ERROR(
      inventory::CheckJournalIsOf(files, folder, config.alliance().trust_domain()));
  ENTENTE_ASSIGN_OR_RETURN(
      journal, store::SqliteJournal::Open(
                   &files, absl::StrCat(folder, "/", inventory::kJournalFile), on_loss));
  ENTENTE_RETURN_IF_ERROR(journal->BelongTo(config.alliance().trust_domain()));
  observed_journal = std::make_unique<store::ObservedJournal>(journal.get(), &steady_clock);
  ENTENTE_ASSIGN_OR_RETURN(models, models::ModelStore::Create(
                                       files, absl::StrCat(folder, "/", inventory::kModelsFolder)));
  const uint64_t quota_bytes = config.limits().spool_bytes_max();
  ENTENTE_ASSIGN_OR_RETURN(
      spool,
      updates::UpdateSpool::Create(files, absl::StrCat(folder, "/", inventory::kSpoolFolder),
                                   quota_bytes > 0 ? quota_bytes : updates::SpaceLedger::kNoQuota));
  return absl::OkStatus();
}

engine::JobObserver CoordinatorApp::Parts::JobObserver() {
  return [this](const engine::JobChange& change) {
    metrics->OnJobChange(change);
    if (notifier != nullptr) notifier->OnJobChange(change);
  };
}

absl::Status CoordinatorApp::Parts::StartNotifier(const std::string& version) {
  if (!config.has_notifications()) return absl::OkStatus();
  ENTENTE_ASSIGN_OR_RETURN(const std::string pem,
                           ReadTextFile(files, config.tls().certificate(), limits::kPemBytesMax));
  ENTENTE_ASSIGN_OR_RETURN(const CertificateDescription self, DescribeCertificate(pem));
  ENTENTE_ASSIGN_OR_RETURN(notifier,
                           notify::MakeNotifier(files, config.notifications(),
                                                {.coordinator = self.spiffe_id, .version = version},
                                                {.clock = &clock,
                                                 .steady_clock = &steady_clock,
                                                 .random = &random,
                                                 .pauses = pauses.get(),
                                                 .workers = &workers}));
  return absl::OkStatus();
}

void CoordinatorApp::Parts::MakeMetrics(const std::string& version) {
  metrics = std::make_unique<metrics::CoordinatorMetrics>(
      MetricsOptions(config, version),
      metrics::CoordinatorMetrics::Parts{.clock = &steady_clock,
                                         .files = &files,
                                         .executor = &executor,
                                         .workers = &workers,
                                         .space = &spool->space(),
                                         .journal = observed_journal.get()});
}

absl::Status CoordinatorApp::Parts::RestoreJobs(const std::string& version) {
  const engine::JobEngine::Dependencies job_parts{.clock = &clock,
                                                  .steady_clock = &steady_clock,
                                                  .journal = observed_journal.get(),
                                                  .models = models.get(),
                                                  .spool = spool.get(),
                                                  .files = &files,
                                                  .workers = &workers,
                                                  .timers = timers.get(),
                                                  .pauses = pauses.get(),
                                                  .executor = &executor,
                                                  .aggregation_lane = &aggregation_lane,
                                                  .aggregation_pool = &aggregation_pool,
                                                  .aggregation_threads = aggregation_threads,
                                                  .gate = &gate,
                                                  .stop_aggregations = &stop_aggregations,
                                                  .on_change = JobObserver()};
  jobs = std::make_unique<engine::JobDirectory>(job_parts, &random,
                                                config.limits().running_jobs_max());
  FeedBrowsers(version);
  // Weak pointers: what still runs while the coordinator stops may come after the feed.
  workers.SetListener([this, weak = std::weak_ptr(feed)](const WorkerId& worker, bool attached) {
    if (attached) {
      jobs->OnWorkerAttached(worker);
    } else {
      jobs->OnWorkerDetached(worker);
    }
    if (notifier != nullptr) notifier->OnWorker(worker, attached);
    if (const auto told = weak.lock()) told->OnWorkersChanged();
  });
  workers.SetRefusalListener([weak = std::weak_ptr(feed)] {
    if (const auto told = weak.lock()) told->OnWorkersChanged();
  });
  observed_journal->SetObserver([weak = std::weak_ptr(feed)](const store::JournalEntry& entry) {
    if (const auto told = weak.lock()) told->OnJournalled(entry);
  });
  uploads = std::make_unique<engine::UploadIntake>(
      engine::UploadIntake::Dependencies{.jobs = jobs.get(),
                                         .models = models.get(),
                                         .spool = spool.get(),
                                         .files = &files,
                                         .clock = &clock,
                                         .blob_bytes_max = config.limits().blob_bytes_max(),
                                         .free_bytes_min = config.limits().free_bytes_min()});
  ENTENTE_RETURN_IF_ERROR(uploads->CountParts());
  ENTENTE_RETURN_IF_ERROR(
      jobs->Restore({.version = version, .after_a_crash = journal->WasLeftOpen()}));
  journal->Settle();  // It is sound, and what it names is there.
  for (const WorkerId& worker : jobs->RecentParticipants()) workers.NoteExpected(worker);
  metrics->Begin(jobs.get());
  return absl::OkStatus();
}

void CoordinatorApp::Parts::MakeServices(const std::string& version) {
  callers = std::make_unique<service::CallerCheck>(trust.get(), &workers, &clock);
  const service::ServiceContext context{
      .clock = &clock,
      .steady_clock = &steady_clock,
      .callers = callers.get(),
      .jobs = jobs.get(),
      .uploads = uploads.get(),
      .models = models.get(),
      .workers = &workers,
      .watches = &watches,
      .pauses = pauses.get(),
      .executor = &executor,
      .transfer_executor = &transfer_executor,
      .heartbeat_interval = ToDuration(config.heartbeat_interval()),
      .transfer_idle_max = ToDuration(config.limits().transfer_idle_max()),
      .transfers_max = static_cast<int>(config.limits().transfers_max()),
      .transfers_per_caller_max = static_cast<int>(config.limits().transfers_per_caller_max()),
      .on_upload_ended = [this](
                             absl::Duration took,
                             const absl::Status& status) { metrics->OnUploadEnded(took, status); },
      .version = version};
  admin_service = std::make_unique<service::AdminService>(
      context, inventory::BackupSource::Dependencies{.files = &files,
                                                     .journal = journal.get(),
                                                     .spool = spool.get(),
                                                     .folder = config.data_directory()});
  job_service = std::make_unique<service::JobService>(context);
  member_service = std::make_unique<service::MemberService>(context);
  model_service = std::make_unique<service::ModelService>(context);
  transfer_service = std::make_unique<service::TransferService>(context);
  worker_service = std::make_unique<service::WorkerService>(context);
}

absl::Status CoordinatorApp::Parts::Listen() {
  // gRPC wants the authorities in one file.
  const std::string bundle =
      absl::StrCat(config.data_directory(), "/", inventory::kAuthoritiesFile);
  ENTENTE_RETURN_IF_ERROR(WriteTextFileIfChanged(files, bundle, trust->BundlePem()));

  grpc::EnableDefaultHealthCheckService(true);
  if (config.reflection()) ENTENTE_RETURN_IF_ERROR(LoadReflection());
  grpc::ServerBuilder builder;
  SetServerChannelOptions(&builder, MemoryOf(config.limits()));
  // Without this a second coordinator would silently share the port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(config.listen(), ServerTls(TlsOf(config, bundle)), &port);
  builder.RegisterService(admin_service.get());
  builder.RegisterService(job_service.get());
  builder.RegisterService(member_service.get());
  builder.RegisterService(model_service.get());
  builder.RegisterService(transfer_service.get());
  builder.RegisterService(worker_service.get());
  server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", config.listen(),
                     ": the port is in use or the address is not this machine's; change `listen`"));
  }
  if (!config.port_file().empty()) {
    ENTENTE_RETURN_IF_ERROR(
        WriteTextFileIfChanged(files, config.port_file(), absl::StrCat(port, "\n")));
  }
  return absl::OkStatus();
}

dashboard::StatusSources CoordinatorApp::Parts::StatusOf(const std::string& version) const {
  return {.clock = &clock,
          .jobs = jobs.get(),
          .workers = &workers,
          .journal = journal.get(),
          .version = version};
}

void CoordinatorApp::Parts::FeedBrowsers(const std::string& version) {
  feed = dashboard::EventFeed::Create({.sources = StatusOf(version),
                                       .steady_clock = &steady_clock,
                                       .pauses = pauses.get(),
                                       .executor = &executor});
}

absl::Status CoordinatorApp::Parts::ListenForHttp(const std::string& version) {
  std::vector<http::Route> routes =
      http::StatusRoutes({.metrics = [this] { return metrics->Render(); },
                          .readiness = [this] { return metrics->readiness(); }});
  for (http::Route& route : dashboard::DashboardRoutes(
           {.sources = StatusOf(version), .feed = feed, .models = models.get()})) {
    routes.push_back(std::move(route));
  }
  ENTENTE_ASSIGN_OR_RETURN(http, StartHttp(config, ForHttp(), std::move(routes)));
  return absl::OkStatus();
}

CoordinatorApp::CoordinatorApp(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<CoordinatorApp>> CoordinatorApp::Start(
    const CoordinatorConfig& config, const std::string& version, FailureListener on_failure) {
  ENTENTE_RETURN_IF_ERROR(CheckCoordinatorFiles(config));
  auto parts = std::make_unique<Parts>(config, std::move(on_failure));
  ENTENTE_ASSIGN_OR_RETURN(parts->trust, TrustOf(parts->files, config));
  ENTENTE_RETURN_IF_ERROR(parts->OpenData());
  parts->timers = std::make_unique<TimerQueue>(&parts->clock);
  parts->pauses = std::make_unique<TimerQueue>(&parts->steady_clock);
  ENTENTE_RETURN_IF_ERROR(parts->StartNotifier(version));
  parts->MakeMetrics(version);
  ENTENTE_RETURN_IF_ERROR(parts->RestoreJobs(version));
  parts->MakeServices(version);
  ENTENTE_RETURN_IF_ERROR(parts->ListenForHttp(version));
  ENTENTE_RETURN_IF_ERROR(parts->Listen());
  parts->metrics->SetReadiness(absl::OkStatus());
  log::Info("coordinator ready",
            {{"version", version},
             {"listen", config.listen()},
             {"port", parts->port},
             {"data", config.data_directory()},
             {"members", config.members_size()},
             {"dashboard", parts->http == nullptr ? "off" : parts->http->url()}});
  return std::unique_ptr<CoordinatorApp>(new CoordinatorApp(std::move(parts)));
}

CoordinatorApp::~CoordinatorApp() = default;

int CoordinatorApp::port() const { return parts_->port; }

void CoordinatorApp::Stop() {
  const absl::Duration drain_time = ToDuration(parts_->config.drain_time());
  log::Info("stopping", {{"drain_time", absl::FormatDuration(drain_time)}});
  const absl::Status stopping =
      absl::UnavailableError("the coordinator is stopping; try again soon");
  const absl::Time end = parts_->steady_clock.Now() + drain_time;
  if (parts_->notifier != nullptr) parts_->notifier->IgnoreWorkers();
  parts_->metrics->SetReadiness(stopping);
  parts_->workers.CloseAll(stopping);
  parts_->watches.EndAll(stopping);
  if (parts_->http != nullptr) parts_->http->Stop();
  parts_->server->Shutdown(absl::ToChronoTime(parts_->clock.Now() + drain_time));
  if (!parts_->gate.CloseAndWait(drain_time)) {
    log::Warning("an aggregation is broken off; it is repeated at the next start");
    parts_->stop_aggregations = true;
  }
  if (parts_->notifier != nullptr) parts_->notifier->Stop(end - parts_->steady_clock.Now());
  log::Info("stopped");
}

absl::Status CheckCoordinatorFiles(const CoordinatorConfig& config) {
  PosixFileSystem files;
  const SystemClock clock;
  // The alliance's authority vouches for the coordinator itself.
  ENTENTE_RETURN_IF_ERROR(CheckTlsFiles(TlsOf(config, config.alliance().authority()), clock.Now()));
  ENTENTE_RETURN_IF_ERROR(CheckCertificateRole(config.tls().certificate(), Role::kCoordinator));
  if (config.has_notifications()) {
    ENTENTE_RETURN_IF_ERROR(notify::CheckNotificationFiles(files, config.notifications()));
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<TrustStore> trust, TrustOf(files, config));
  return CheckHttpSetup(config, {.clock = &clock, .files = &files, .trust = trust.get()});
}

}  // namespace entente
