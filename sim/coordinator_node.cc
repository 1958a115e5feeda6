// SPDX-License-Identifier: Apache-2.0
#include "sim/coordinator_node.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente::sim {
namespace {

constexpr char kFolder[] = "/data";

std::vector<members::MemberInfo> MembersOf(const std::vector<WorkerId>& workers) {
  std::vector<members::MemberInfo> members;
  for (const WorkerId& worker : workers) {
    members.push_back({.id = MemberOf(worker),
                       .display_name = "",
                       .jurisdiction = "FR",
                       .trust_domain = absl::StrCat(MemberOf(worker).value(), ".example")});
  }
  return members;
}

}  // namespace

// Tells the promises what the journal has taken.
class CoordinatorNode::WatchedJournal final : public store::Journal {
 public:
  // Borrowed.
  WatchedJournal(store::Journal* real, const Process* process, Promises* promises)
      : real_(*real), process_(*process), promises_(*promises) {}

  absl::Status Append(const store::JournalEntry& entry) override {
    if (!process_.alive()) return absl::UnavailableError("the process is dead");
    const absl::Status status = real_.Append(entry);
    // Nobody hears what a process says as it dies.
    if (status.ok() && process_.alive()) {
      promises_.OnAppended(entry);
    } else {
      promises_.OnNotAppended(entry);
    }
    return process_.alive() ? status : absl::UnavailableError("the process is dead");
  }

  absl::Status Replay(
      const std::function<absl::Status(const store::JournalEntry&)>& visit) const override {
    promises_.OnReplayBegun();
    ENTENTE_RETURN_IF_ERROR(real_.Replay([&](const store::JournalEntry& entry) {
      promises_.OnReplayed(entry);
      return visit(entry);
    }));
    promises_.OnReplayEnded();
    return absl::OkStatus();
  }

 private:
  store::Journal& real_;
  const Process& process_;
  Promises& promises_;
};

CoordinatorNode::CoordinatorNode(const Dependencies& dependencies)
    : deps_(dependencies),
      steady_clock_(deps_.scheduler),
      process_(deps_.scheduler, deps_.clock),
      pauses_(&process_, &steady_clock_),
      files_(deps_.disk, Durability::kPowerLoss, [this] { return EnterFileOperation(); }),
      registry_(MembersOf(deps_.workers), deps_.clock, /*workers_max=*/1000) {}

CoordinatorNode::~CoordinatorNode() {
  process_.Die();
  deps_.network->SetListener(nullptr);
  // What waits holds on to jobs, uploads and calls, which hold on to the rest.
  process_.Finish();
  calls_.clear();
  process_.Finish();
  is_closing_ = true;
}

void CoordinatorNode::Stop(uint64_t operation) {
  closing_operations_ = operation - 1;
  process_.Die();
}

bool CoordinatorNode::EnterFileOperation() {
  if (!is_closing_) return process_.EnterFileOperation();
  if (closing_operations_ == 0) return false;
  --closing_operations_;
  return true;
}

absl::Status CoordinatorNode::OpenData() {
  const std::string folder = kFolder;
  ENTENTE_RETURN_IF_ERROR(files_.CreateFolder(folder));
  // A coordinator that cannot know what is on its disk any more ends.
  ENTENTE_ASSIGN_OR_RETURN(
      real_journal_, store::SqliteJournal::Open(&files_, folder + "/journal.sqlite",
                                                [this](const absl::Status&) { process_.Die(); }));
  journal_ = std::make_unique<WatchedJournal>(real_journal_.get(), &process_, deps_.promises);
  ENTENTE_ASSIGN_OR_RETURN(models_, models::ModelStore::Create(files_, folder + "/models"));
  ENTENTE_ASSIGN_OR_RETURN(spool_, updates::UpdateSpool::Create(files_, folder + "/spool"));
  return absl::OkStatus();
}

absl::Status CoordinatorNode::Start() {
  ENTENTE_RETURN_IF_ERROR(OpenData());
  jobs_ = std::make_unique<engine::JobDirectory>(
      engine::JobEngine::Dependencies{.clock = deps_.clock,
                                      .steady_clock = &steady_clock_,
                                      .journal = journal_.get(),
                                      .models = models_.get(),
                                      .spool = spool_.get(),
                                      .files = &files_,
                                      .workers = &registry_,
                                      .timers = &process_,
                                      .pauses = &pauses_,
                                      .executor = &process_,
                                      .aggregation_lane = &process_,
                                      .aggregation_pool = &process_,
                                      .aggregation_threads = 1,
                                      .gate = &gate_},
      &deps_.scheduler->chance(), /*running_jobs_max=*/4);
  registry_.SetListener([this](const WorkerId& worker, bool attached) {
    if (attached) jobs_->OnWorkerAttached(worker);
  });
  uploads_ = std::make_unique<engine::UploadIntake>(
      engine::UploadIntake::Dependencies{.jobs = jobs_.get(),
                                         .models = models_.get(),
                                         .spool = spool_.get(),
                                         .files = &files_,
                                         .clock = deps_.clock,
                                         .blob_bytes_max = 1 << 20,
                                         .free_bytes_min = 1 << 20});
  ENTENTE_RETURN_IF_ERROR(uploads_->CountParts());
  service_.clock = deps_.clock;
  service_.steady_clock = &steady_clock_;
  service_.jobs = jobs_.get();
  service_.uploads = uploads_.get();
  service_.models = models_.get();
  service_.workers = &registry_;
  service_.pauses = &pauses_;
  service_.executor = &process_;
  service_.transfer_executor = &process_;
  service_.heartbeat_interval = absl::Seconds(10);
  ENTENTE_RETURN_IF_ERROR(jobs_->Restore());
  real_journal_->Settle();
  deps_.promises->CheckStores(files_, *models_, *spool_);
  if (!process_.alive()) return absl::UnavailableError("the process is dead");
  deps_.network->SetListener(
      [this](const std::string& method, int machine, std::unique_ptr<Stream> stream) {
        TakeCall(method, machine, std::move(stream));
      });
  return absl::OkStatus();
}

void CoordinatorNode::TakeCall(const std::string& method, int machine,
                               std::unique_ptr<Stream> stream) {
  const uint64_t id = next_call_++;
  const CallContext context{.service = &service_, .process = &process_, .trace = deps_.trace};
  // Not on the call's own stack.
  const auto on_over = [this, id] { process_.Post([this, id] { calls_.erase(id); }); };
  calls_[id] = MakeCall(context, method, machine, deps_.workers[static_cast<size_t>(machine) - 1],
                        std::move(stream), on_over);
}

absl::Status CoordinatorNode::Submit(const v1::Recipe& recipe, const std::string& model_bytes) {
  v1::UploadHeader header;
  header.set_digest(Sha256Of(model_bytes).ToHex());
  header.set_total_bytes(model_bytes.size());
  header.mutable_blob()->set_content(v1::BlobDescription::CONTENT_MODEL);
  ENTENTE_ASSIGN_OR_RETURN(const auto upload, uploads_->OpenBlob(header));
  if (!upload->already_stored()) {
    const uint64_t offset = upload->offset();
    ENTENTE_RETURN_IF_ERROR(upload->Append(offset, absl::string_view(model_bytes).substr(offset)));
    absl::Status sealed = absl::UnknownError("a blob is sealed at once");
    upload->Seal([&sealed](const absl::Status& status) { sealed = status; });
    ENTENTE_RETURN_IF_ERROR(sealed);
  }
  return jobs_
      ->Submit({.recipe = recipe,
                .submitter = "spiffe://alliance.example/submitter/anna",
                .token = "the one job",
                .initial_model = Sha256Of(model_bytes)})
      .status();
}

}  // namespace entente::sim
