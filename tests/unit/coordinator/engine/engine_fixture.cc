// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/coordinator/engine/engine_fixture.h"

#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "common/base/check.h"
#include "common/base/limits.h"
#include "common/config/proto_time.h"
#include "common/recipe/recipe.h"
#include "common/transfer/incoming_file.h"

namespace entente::engine {
namespace {

Layout ModelLayout() {
  return Layout::Create({{.name = "w", .dtype = Dtype::kF32, .shape = {2}}}).value();
}

std::string FloatBytes(float a, float b) {
  const float values[] = {a, b};
  std::string bytes(sizeof(values), '\0');
  std::memcpy(bytes.data(), values, sizeof(values));
  return bytes;
}

}  // namespace

void RecordingConnection::Send(const v1::CoordinatorMessage& message) {
  absl::MutexLock lock(&mu_);
  if (message.has_task()) tasks_.push_back(message.task());
  if (message.has_cancelled()) cancelled_.push_back(message.cancelled());
  if (message.has_job_ended()) ended_.push_back(message.job_ended());
}

v1::Task RecordingConnection::WaitForTask(size_t n) {
  absl::MutexLock lock(&mu_);
  const auto there = [this, n]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return tasks_.size() > n; };
  ENTENTE_CHECK(mu_.AwaitWithTimeout(absl::Condition(&there), absl::Minutes(1)));
  return tasks_[n];
}

size_t RecordingConnection::task_count() const {
  absl::MutexLock lock(&mu_);
  return tasks_.size();
}

v1::TaskCancelled RecordingConnection::WaitForCancelled() {
  absl::MutexLock lock(&mu_);
  const auto there = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !cancelled_.empty(); };
  ENTENTE_CHECK(mu_.AwaitWithTimeout(absl::Condition(&there), absl::Minutes(1)));
  return cancelled_[0];
}

v1::JobEnded RecordingConnection::WaitForJobEnded() {
  absl::MutexLock lock(&mu_);
  const auto there = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !ended_.empty(); };
  ENTENTE_CHECK(mu_.AwaitWithTimeout(absl::Condition(&there), absl::Minutes(1)));
  return ended_[0];
}

EngineTest::EngineTest(uint64_t spool_quota_bytes) : spool_quota_bytes_(spool_quota_bytes) {
  Open();
}
EngineTest::~EngineTest() { Shut(); }

void EngineTest::Open() {
  const std::vector<members::MemberInfo> members = {
      {MemberId("fr-lab"), "", "FR", "fr-lab.example"},
      {MemberId("kr-lab"), "", "KR", "kr-lab.example"}};
  real_journal_ = store::SqliteJournal::Open(&files_, folder_.File("journal.sqlite")).value();
  journal_ = std::make_unique<FlakyJournal>(real_journal_.get());
  observed_journal_ = std::make_unique<store::ObservedJournal>(journal_.get(), &steady_clock_);
  models_ = models::ModelStore::Create(files_, folder_.File("models")).value();
  spool_ = updates::UpdateSpool::Create(files_, folder_.File("spool"), spool_quota_bytes_).value();
  workers_ = std::make_unique<members::WorkerRegistry>(members, &clock_, 100);
  gate_ = std::make_unique<DrainGate>();
  timers_ = std::make_unique<TimerQueue>(&clock_);
  pauses_ = std::make_unique<TimerQueue>(&steady_clock_);
  executor_ = std::make_unique<ThreadPool>(2);
  pool_ = std::make_unique<ThreadPool>(1);
  lane_ = std::make_unique<ThreadPool>(1);
  const JobEngine::Dependencies parts{.clock = &clock_,
                                      .steady_clock = &steady_clock_,
                                      .journal = observed_journal_.get(),
                                      .models = models_.get(),
                                      .spool = spool_.get(),
                                      .files = &files_,
                                      .workers = workers_.get(),
                                      .timers = timers_.get(),
                                      .pauses = pauses_.get(),
                                      .executor = executor_.get(),
                                      .aggregation_lane = lane_.get(),
                                      .aggregation_pool = pool_.get(),
                                      .aggregation_threads = 2,
                                      .gate = gate_.get(),
                                      .aggregation_retry_pause = aggregation_retry_pause_};
  jobs_ = std::make_unique<JobDirectory>(parts, &random_, /*running_jobs_max=*/2);
  workers_->SetListener([this](const WorkerId& worker, bool attached) {
    if (attached) {
      jobs_->OnWorkerAttached(worker);
    } else {
      jobs_->OnWorkerDetached(worker);
    }
  });
  uploads_ = std::make_unique<UploadIntake>(UploadIntake::Dependencies{.jobs = jobs_.get(),
                                                                       .models = models_.get(),
                                                                       .spool = spool_.get(),
                                                                       .files = &files_,
                                                                       .clock = &clock_,
                                                                       .blob_bytes_max = 1 << 20,
                                                                       .free_bytes_min = 0});
  ENTENTE_CHECK(uploads_->CountParts().ok());
}

void EngineTest::Shut() {
  if (real_journal_ == nullptr) return;
  gate_->CloseAndWait(absl::Minutes(1));
  timers_->Stop();
  pauses_->Stop();
  lane_.reset();
  pool_.reset();
  executor_.reset();
  timers_.reset();
  pauses_.reset();
  uploads_.reset();
  jobs_.reset();
  workers_.reset();
  observed_journal_.reset();
  journal_.reset();
  real_journal_.reset();
}

void EngineTest::Restart() {
  Shut();
  Open();
}

v1::Recipe EngineTest::RecipeOf(uint32_t rounds, uint32_t quorum, bool evaluates) {
  v1::Recipe recipe;
  recipe.set_api_version("entente/v1");
  recipe.set_kind("Recipe");
  recipe.set_name("test");
  recipe.set_purpose("testing");
  recipe.set_dataset("numbers");
  recipe.set_task(v1::TASK_CLASSIFICATION);
  v1::BuiltinModel* const model = recipe.mutable_model()->mutable_builtin();
  model->set_architecture(v1::BuiltinModel::ARCHITECTURE_MLP);
  model->add_input_shape(2);
  model->set_outputs(2);
  recipe.set_rounds(rounds);
  recipe.mutable_pacing()->mutable_quorum()->set_count(quorum);
  recipe.mutable_evaluation()->set_every_rounds(evaluates ? 1 : 0);
  FillRecipeDefaults(&recipe);
  return recipe;
}

Digest EngineTest::StoreModel(float a, float b) {
  const std::string path = models_->TemporaryPath("test");
  auto writer = SafetensorsWriter::Create(files_, path, ModelLayout()).value();
  ENTENTE_CHECK(writer->WriteAt(0, 0, FloatBytes(a, b)).ok() && writer->Finish().ok());
  return models_->Adopt(path).value();
}

std::string EngineTest::UpdateBytes(float a, float b) const {
  return SafetensorsHeader(ModelLayout()) + FloatBytes(a, b);
}

std::shared_ptr<RecordingConnection> EngineTest::AttachWorker(
    const std::string& id, const std::vector<v1::Updates::Encoding>& encodings,
    const std::vector<v1::Updates::Download>& downloads) {
  auto connection = std::make_shared<RecordingConnection>();
  ENTENTE_CHECK(workers_
                    ->Attach(WorkerId(id),
                             {.version = "1",
                              .datasets = {"numbers"},
                              .sandbox = "none",
                              .encodings = encodings,
                              .downloads = downloads,
                              .compressions = KnownCompressions(),
                              .protocol_minor = limits::kProtocolMinor,
                              .certificate_expires_at = {}},
                             connection)
                    .ok());
  return connection;
}

std::shared_ptr<JobEngine> EngineTest::Submit(const v1::Recipe& recipe) {
  return jobs_
      ->Submit({.recipe = recipe,
                .submitter = "spiffe://alliance.example/submitter/test",
                .token = "",
                .initial_model = StoreModel(1, 2)})
      .value()
      .job;
}

v1::UploadHeader EngineTest::UploadHeaderOf(const v1::Task& task, const std::string& bytes) {
  v1::UploadHeader header;
  *header.mutable_update()->mutable_key() = task.key();
  header.mutable_update()->set_base_model_digest(task.model_digest());
  header.mutable_update()->set_examples(10);
  header.set_digest(Sha256Of(bytes).ToHex());
  header.set_total_bytes(bytes.size());
  return header;
}

absl::Status EngineTest::Upload(const std::string& worker, const v1::Task& task, float a, float b,
                                uint64_t examples) {
  const std::string bytes = UpdateBytes(a, b);
  return UploadRaw(worker, task, bytes, Sha256Of(bytes), examples);
}

absl::Status EngineTest::UploadRaw(const std::string& worker, const v1::Task& task,
                                   const std::string& bytes, const Digest& digest,
                                   uint64_t examples) {
  v1::UploadHeader header = UploadHeaderOf(task, bytes);
  header.mutable_update()->set_examples(examples);
  header.set_digest(digest.ToHex());
  auto upload = uploads_->OpenUpdate(WorkerId(worker), header);
  if (!upload.ok()) return upload.status();
  const uint64_t offset = (*upload)->offset();
  if (absl::Status status = (*upload)->Append(offset, bytes.substr(offset)); !status.ok()) {
    return status;
  }
  absl::Notification sealed;
  absl::Status result;
  (*upload)->Seal([&](const absl::Status& status) {
    result = status;
    sealed.Notify();
  });
  sealed.WaitForNotification();
  return result;
}

JobView EngineTest::WaitFor(JobEngine& job, const std::function<bool(const JobView&)>& done) {
  // Shared with the watcher, whose last call may come after this has returned.
  struct Seen {
    absl::Mutex mu;
    bool changed = true;
  };
  const auto seen = std::make_shared<Seen>();
  const uint64_t watch = job.Watch([seen] {
    absl::MutexLock lock(&seen->mu);
    seen->changed = true;
  });
  JobView view = job.View();
  for (int i = 0; i < 1000 && !done(view); ++i) {
    {
      absl::MutexLock lock(&seen->mu);
      ENTENTE_CHECK(seen->mu.AwaitWithTimeout(absl::Condition(&seen->changed), absl::Minutes(1)));
      seen->changed = false;
    }
    view = job.View();
  }
  job.Unwatch(watch);
  return view;
}

JobView EngineTest::WaitForEnd(JobEngine& job) {
  return WaitFor(job, [](const JobView& view) { return view.state->HasEnded(); });
}

std::vector<std::string> EngineTest::PartsLeft() const {
  std::vector<std::string> parts;
  std::error_code error;  // Of a folder that goes meanwhile.
  for (auto it = std::filesystem::recursive_directory_iterator(folder_.path(), error);
       it != std::filesystem::recursive_directory_iterator(); it.increment(error)) {
    const std::string path = it->path().string();
    if (absl::EndsWith(path, kPartSuffix)) parts.push_back(path);
  }
  return parts;
}

std::vector<float> EngineTest::ModelValues(const Digest& digest) {
  std::vector<float> values(2);
  const auto reader = models_->OpenModel(digest).value();
  ENTENTE_CHECK(
      reader->ReadAt(0, 0, absl::MakeSpan(reinterpret_cast<char*>(values.data()), 8)).ok());
  return values;
}

}  // namespace entente::engine
