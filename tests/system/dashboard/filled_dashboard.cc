// SPDX-License-Identifier: Apache-2.0
// entente-filled-dashboard FOLDER: the real dashboard over the journal of a job of 200 members that
// is in its thousandth round, made in FOLDER, with all workers attached. Prints its address and the
// job's id, and goes on until standard input ends.

#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/random_source.h"
#include "common/base/timer_queue.h"
#include "common/config/proto_time.h"
#include "common/http/http_server.h"
#include "common/recipe/recipe.h"
#include "common/recipe/recipe_encoding.h"
#include "coordinator/http/dashboard.h"
#include "coordinator/store/record_converter.h"
#include "coordinator/store/sqlite_journal.h"

namespace entente {
namespace {

constexpr int kMembers = 200;
constexpr int kRounds = 1000;        // The last one is in flight.
constexpr int kCohort = 20;          // Of most rounds.
constexpr int kEverybodyEvery = 50;  // Rounds.
constexpr char kJob[] = "long-job-abc234";

class SilentConnection final : public members::WorkerConnection {
 public:
  void Send(const v1::CoordinatorMessage&) override {}
  void Close(const absl::Status&) override {}
};

MemberId MemberNumber(int i) { return MemberId(absl::StrFormat("lab-%03d", i)); }
WorkerId WorkerNumber(int i) { return WorkerId(absl::StrCat(MemberNumber(i).value(), "/gpu-1")); }

v1::Recipe LongRecipe() {
  v1::Recipe recipe;
  recipe.set_api_version("entente/v1");
  recipe.set_kind("Recipe");
  recipe.set_name("long-job");
  recipe.set_purpose("research on long jobs");
  recipe.set_dataset("numbers");
  recipe.set_task(v1::TASK_CLASSIFICATION);
  v1::BuiltinModel& model = *recipe.mutable_model()->mutable_builtin();
  model.set_architecture(v1::BuiltinModel::ARCHITECTURE_MLP);
  model.add_input_shape(2);
  model.set_outputs(2);
  recipe.set_rounds(1200);
  recipe.mutable_pacing()->mutable_quorum()->set_count(kCohort / 2);
  *recipe.mutable_pacing()->mutable_deadline() = ToProto(absl::Hours(24 * 30));
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::Hours(24));
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Hours(24));
  FillRecipeDefaults(&recipe);
  return recipe;
}

// What a round's model has in it, which nobody looks at.
std::string ModelOf(int round) { return absl::StrCat("model ", round); }

// Writes the job's life up to now.
class JobWriter {
 public:
  JobWriter(store::Journal* journal, absl::Time now)
      : journal_(*journal), at_(now - absl::Seconds(30 * kRounds)) {}

  void WriteAll() {
    storage::v1::JobRecord submitted;
    *submitted.mutable_submitted()->mutable_recipe() = LongRecipe();
    submitted.mutable_submitted()->set_submitter("spiffe://alliance.example/submitter/researcher");
    submitted.mutable_submitted()->set_initial_model(Sha256Of("initial").Raw());
    Append(submitted);
    for (int round = 0; round + 1 < kRounds; ++round) WriteRound(round);
    const std::vector<WorkerId> everybody = CohortOf(0);
    Write(kRounds - 1, rounds::Opened{everybody});
    for (int i = 0; i < kMembers; i += 2) WriteUpdate(kRounds - 1, WorkerNumber(i));
  }

 private:
  static std::vector<WorkerId> CohortOf(int round) {
    std::vector<WorkerId> cohort;
    const bool is_everybody = round % kEverybodyEvery == 0;
    for (int i = 0; i < kMembers; ++i) {
      if (is_everybody || (i + round) % (kMembers / kCohort) == 0)
        cohort.push_back(WorkerNumber(i));
    }
    return cohort;
  }

  void WriteRound(int round) {
    const std::vector<WorkerId> cohort = CohortOf(round);
    Write(round, rounds::Opened{cohort});
    std::map<WorkerId, double> weights;
    for (const WorkerId& worker : cohort) {
      WriteUpdate(round, worker);
      weights[worker] = 1.0 / static_cast<double>(cohort.size());
    }
    Write(round, rounds::Aggregated{Sha256Of(ModelOf(round)), {}, weights});
    double offset = 0;
    for (const WorkerId& worker : cohort) {
      const double loss = 2 / std::sqrt(round + 2.0) + (offset += 0.001);
      Write(round,
            rounds::Evaluated{worker, {.examples = 500, .loss = loss, .accuracy = 1 - loss / 3}});
    }
  }
  void WriteUpdate(int round, const WorkerId& worker) {
    Write(round, rounds::UpdateAccepted{worker,
                                        {.digest = Sha256Of(absl::StrCat(worker.value(), round)),
                                         .bytes = 400'000,
                                         .examples = 6000,
                                         .training_loss = 2 / std::sqrt(round + 1.0),
                                         .norm = 10 / std::sqrt(round + 1.0)}});
  }
  void Write(int round, rounds::RoundEvent event) {
    Append(store::ToRecord(jobs::RoundHappened{static_cast<uint32_t>(round), 1, std::move(event)}));
  }
  void Append(const storage::v1::JobRecord& record) {
    at_ += absl::Milliseconds(500);
    ENTENTE_CHECK(
        journal_.Append({.job = JobId(kJob), .sequence = ++sequence_, .at = at_, .record = record})
            .ok());
  }

  store::Journal& journal_;
  absl::Time at_;
  uint64_t sequence_ = 0;
};

std::vector<members::MemberInfo> Members() {
  static constexpr const char* kCountries[] = {"FR", "KR", "IN", "BR", "CA", "JP", "DE", "ZA"};
  std::vector<members::MemberInfo> members;
  for (int i = 0; i < kMembers; ++i) {
    members.push_back({.id = MemberNumber(i),
                       .display_name = absl::StrCat("Institute number ", i),
                       .jurisdiction = kCountries[i % 8],
                       .trust_domain = absl::StrCat(MemberNumber(i).value(), ".example")});
  }
  return members;
}

int Run(const std::string& folder) {
  log::Configure(log::Format::kText, log::Level::kError);
  PosixFileSystem files(Durability::kProcess);
  SystemClock clock;
  SteadyClock steady_clock;
  SystemRandomSource random;
  ENTENTE_CHECK(files.CreateFolder(folder).ok());
  const auto journal = store::SqliteJournal::Open(&files, folder + "/journal.sqlite").value();
  JobWriter(journal.get(), clock.Now()).WriteAll();
  const auto models = models::ModelStore::Create(files, folder + "/models").value();
  // A job that goes on needs its newest model.
  const std::string newest = ModelOf(kRounds - 2);
  ENTENTE_CHECK(WriteTextFile(files, models->PathOf(Sha256Of(newest)), newest).ok());
  const auto spool =
      updates::UpdateSpool::Create(files, folder + "/spool", updates::SpaceLedger::kNoQuota)
          .value();
  members::WorkerRegistry workers(Members(), &clock, kMembers);
  DrainGate gate;
  std::unique_ptr<engine::JobDirectory> jobs;
  TimerQueue timers(&clock);
  TimerQueue pauses(&steady_clock);
  ThreadPool executor(2);
  ThreadPool pool(1);
  ThreadPool lane(1);
  jobs = std::make_unique<engine::JobDirectory>(
      engine::JobEngine::Dependencies{.clock = &clock,
                                      .steady_clock = &steady_clock,
                                      .journal = journal.get(),
                                      .models = models.get(),
                                      .spool = spool.get(),
                                      .files = &files,
                                      .workers = &workers,
                                      .timers = &timers,
                                      .pauses = &pauses,
                                      .executor = &executor,
                                      .aggregation_lane = &lane,
                                      .aggregation_pool = &pool,
                                      .gate = &gate},
      &random, 10);
  ENTENTE_CHECK(jobs->Restore().ok());
  for (int i = 0; i < kMembers; ++i) {
    ENTENTE_CHECK(workers
                      .Attach(WorkerNumber(i),
                              {.version = "0.1.0",
                               .datasets = {"numbers"},
                               .sandbox = "bubblewrap",
                               .encodings = KnownEncodings(),
                               .downloads = {},
                               .compressions = {},
                               .certificate_expires_at = clock.Now() + absl::Hours(2000)},
                              std::make_shared<SilentConnection>())
                      .ok());
  }
  const dashboard::StatusSources sources{.clock = &clock,
                                         .jobs = jobs.get(),
                                         .workers = &workers,
                                         .journal = journal.get(),
                                         .version = "0.1.0"};
  http::HttpServer::Options options;
  options.listen = "127.0.0.1:0";
  options.clock = &clock;
  options.files = &files;
  options.routes = dashboard::DashboardRoutes(
      {.sources = sources,
       .feed = dashboard::EventFeed::Create({.sources = sources,
                                             .steady_clock = &steady_clock,
                                             .pauses = &pauses,
                                             .executor = &executor}),
       .models = models.get()});
  const auto server = http::HttpServer::Start(std::move(options)).value();
  std::printf("%s %s\n", server->url().c_str(), kJob);
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  server->Stop();
  gate.CloseAndWait(absl::Seconds(10));
  timers.Stop();
  pauses.Stop();
  return 0;
}

}  // namespace
}  // namespace entente

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: entente-filled-dashboard FOLDER\n");
    return 2;
  }
  return entente::Run(argv[1]);
}
