// SPDX-License-Identifier: Apache-2.0
#include "sim/federation.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"

namespace entente::sim {
namespace {

constexpr absl::Duration kSubmitInterval = absl::Seconds(5);
// From the last fault to the job's end, for each of its rounds and one more: a few attempts, each
// with its deadlines.
constexpr absl::Duration kEndWait = absl::Hours(4);
constexpr char kPolicy[] = R"(apiVersion: entente/v1
kind: LocalPolicy
rules: [{name: all, effect: allow}]
)";

// A machine and what runs on it: a CoordinatorNode or a WorkerNode.
template <typename Node>
struct Machine {
  Machine(Scheduler* scheduler, int number_in)
      : number(number_in), clock(scheduler), disk(scheduler) {}

  const int number;
  MachineClock clock;
  Disk disk;
  std::unique_ptr<Node> node;     // Null while it is down.
  uint64_t dies_in_start_at = 0;  // The file operation of the next start; 0: none.
};

class Federation {
 public:
  explicit Federation(const SimulationOptions& options)
      : scheduler_(options.seed),
        trace_(&scheduler_, options.keeps_trace),
        network_(&scheduler_),
        drawn_(DeriveSeed(options.seed, "plan")),
        plan_(DrawFaultPlan(drawn_)),
        policy_(MakePolicy()),
        initial_(ToyModel::Initial(DeriveSeed(options.seed, "model"))),
        promises_(initial_),
        coordinator_(&scheduler_, 0) {
    const auto worker_count = static_cast<uint32_t>(3 + drawn_.Below(3));
    recipe_ = DrawRecipe(drawn_, worker_count, options.rounds);
    config::v1::Dataset dataset;
    dataset.set_name("numbers");
    dataset.set_format(config::v1::Dataset::FORMAT_CSV);
    dataset.set_directory("/srv/numbers");
    datasets_["numbers"] = dataset;
    for (uint32_t i = 1; i <= worker_count; ++i) {
      workers_.push_back(std::make_unique<Machine<WorkerNode>>(&scheduler_, static_cast<int>(i)));
      worker_ids_.emplace_back(absl::StrCat("lab-", i, "/gpu-1"));
    }
  }

  SimulationResult Run() {
    Begin();
    while (promises_.violation().empty() && !promises_.job_has_ended()) {
      ENTENTE_CHECK(scheduler_.RunNext());
      BuryTheDead();
      promises_.CheckProgress(scheduler_.now(), IsAble());
    }
    if (promises_.violation().empty()) CheckTheEnd();
    return Result();
  }

 private:
  static LocalPolicy MakePolicy() {
    Scheduler scheduler(0);
    Disk disk(&scheduler);
    DiskFileSystem files(&disk, Durability::kProcess, [] { return true; });
    ENTENTE_CHECK(WriteTextFile(files, "policy.yaml", kPolicy).ok());
    auto policy = LocalPolicy::Load(files, "policy.yaml");
    ENTENTE_CHECK(policy.ok());
    return *std::move(policy);
  }

  void Begin() {
    network_.faults = plan_.network;
    trainer_faults_ = plan_.trainer;
    StartCoordinator();
    for (const auto& machine : workers_) StartWorker(*machine);
    TryToSubmit();
    scheduler_.After(plan_.time, [this] { EndFaults(); });
    if (!plan_.kinds.empty()) ScheduleFault();
  }

  // -- Programs start, and start again when they have ended, as under systemd.

  void StartCoordinator() {
    if (coordinator_.node != nullptr) return;
    coordinator_.node = std::make_unique<CoordinatorNode>(
        CoordinatorNode::Dependencies{.scheduler = &scheduler_,
                                      .network = &network_,
                                      .disk = &coordinator_.disk,
                                      .clock = &coordinator_.clock,
                                      .promises = &promises_,
                                      .trace = &trace_,
                                      .workers = worker_ids_});
    Start(coordinator_);
  }

  void StartWorker(Machine<WorkerNode>& machine) {
    if (machine.node != nullptr) return;
    machine.node = std::make_unique<WorkerNode>(
        WorkerNode::Dependencies{.scheduler = &scheduler_,
                                 .network = &network_,
                                 .disk = &machine.disk,
                                 .clock = &machine.clock,
                                 .promises = &promises_,
                                 .trace = &trace_,
                                 .policy = &policy_,
                                 .datasets = &datasets_,
                                 .trainer_faults = &trainer_faults_,
                                 .trainer_failures = &trainer_failures_,
                                 .machine = machine.number,
                                 .id = worker_ids_[static_cast<size_t>(machine.number) - 1]});
    Start(machine);
  }

  template <typename Node>
  void Start(Machine<Node>& machine) {
    machine.node->process().DieAtFileOperation(std::exchange(machine.dies_in_start_at, 0));
    const absl::Status started = machine.node->Start();
    if (started.ok()) {
      if (trace_.kept()) trace_.Note(machine.number, "starts");
      return;
    }
    const bool has_excuse = !machine.node->process().alive() || IsUnsound(machine.disk);
    if (!has_excuse) {
      promises_.Violate(absl::StrCat(machine.number == 0 ? "the coordinator" : "a worker",
                                     " does not start on a sound disk: ", started.message()));
    }
    if (trace_.kept()) {
      trace_.Note(machine.number, absl::StrCat("does not start: ", started.message()));
    }
    machine.node->process().Die();
  }

  void BuryTheDead() {
    if (coordinator_.node != nullptr && !coordinator_.node->process().alive()) {
      Bury(coordinator_);
      scheduler_.After(RestartPause(), [this] { StartCoordinator(); });
    }
    for (const auto& machine : workers_) {
      if (machine->node == nullptr || machine->node->process().alive()) continue;
      Bury(*machine);
      scheduler_.After(RestartPause(), [this, raw = machine.get()] { StartWorker(*raw); });
    }
  }

  template <typename Node>
  void Bury(Machine<Node>& machine) {
    ++crashes_;
    machine.node.reset();
    const bool loses_power = drawn_.Happens(0.5);
    if (loses_power) machine.disk.LosePower();
    if (trace_.kept()) {
      trace_.Note(machine.number, loses_power ? "crash, the power is lost" : "crash, killed");
    }
  }

  absl::Duration RestartPause() { return drawn_.Between(absl::Seconds(1), absl::Seconds(40)); }

  // -- The submitter.

  void TryToSubmit() {
    if (promises_.job_is_known()) return;
    if (coordinator_.node != nullptr && coordinator_.node->process().alive()) {
      coordinator_.node->Submit(recipe_, initial_.FileBytes()).IgnoreError();  // Tried again.
    }
    scheduler_.After(kSubmitInterval, [this] { TryToSubmit(); });
  }

  // -- Faults.

  void ScheduleFault() {
    scheduler_.After(drawn_.Between(absl::Seconds(1), plan_.pause_max), [this] {
      if (faults_are_over_) return;
      Strike(plan_.kinds[drawn_.Below(plan_.kinds.size())]);
      ScheduleFault();
    });
  }

  Machine<WorkerNode>& AnyWorker() { return *workers_[drawn_.Below(workers_.size())]; }

  void Strike(FaultKind kind) {
    Machine<WorkerNode>& worker = AnyWorker();
    const bool hits_coordinator = drawn_.Happens(0.5);
    const int number = hits_coordinator ? 0 : worker.number;
    switch (kind) {
      case FaultKind::kCrashCoordinator:
        if (coordinator_.node != nullptr) coordinator_.node->process().Die();
        return;
      case FaultKind::kCrashCoordinatorAtOperation:
        return CrashAtOperation(coordinator_, 1 + drawn_.Below(60));
      case FaultKind::kStopCoordinator:
        if (coordinator_.node == nullptr) return;
        if (trace_.kept()) trace_.Note(0, FaultName(kind));
        return coordinator_.node->Stop(drawn_.Happens(0.5) ? UINT64_MAX : 1 + drawn_.Below(40));
      case FaultKind::kCrashWorker:
        if (worker.node != nullptr) worker.node->process().Die();
        return;
      case FaultKind::kCrashWorkerAtOperation:
        return CrashAtOperation(worker, 1 + drawn_.Below(30));
      case FaultKind::kPartition: {
        const int one_way = static_cast<int>(drawn_.Below(4)) - 2;  // Half of them both ways.
        network_.Partition(worker.number,
                           scheduler_.now() + drawn_.Between(absl::Seconds(1), absl::Minutes(5)),
                           one_way);
        break;
      }
      case FaultKind::kDiskFails:
        BreakDisk(hits_coordinator ? coordinator_.disk : worker.disk, DrawDiskFaults(drawn_));
        break;
      case FaultKind::kDiskFull: {
        DiskFaults full;
        full.is_full = true;
        BreakDisk(hits_coordinator ? coordinator_.disk : worker.disk, full);
        break;
      }
      case FaultKind::kClockJumps: {
        // A coordinator that is set back a day rightly waits a day: its deadlines are of the clock.
        const absl::Duration back_max = hits_coordinator ? absl::Minutes(10) : absl::Hours(24);
        const absl::Duration jump = drawn_.Happens(0.5)
                                        ? -drawn_.Between(absl::Seconds(1), back_max)
                                        : drawn_.Between(absl::Seconds(1), absl::Hours(24));
        (hits_coordinator ? coordinator_.clock : worker.clock).Jump(jump);
        promises_.CheckProgress(scheduler_.now(), /*is_able=*/false);
        break;
      }
    }
    ++strikes_;
    if (trace_.kept()) {
      trace_.Note(kind == FaultKind::kPartition ? worker.number : number, FaultName(kind));
    }
  }

  // One that does not run dies in its next start, or soon after.
  template <typename Node>
  static void CrashAtOperation(Machine<Node>& machine, uint64_t operation) {
    if (machine.node != nullptr) return machine.node->process().DieAtFileOperation(operation);
    machine.dies_in_start_at = operation;
  }

  void BreakDisk(Disk& disk, const DiskFaults& faults) {
    disk.faults = faults;
    scheduler_.After(drawn_.Between(absl::Seconds(1), absl::Minutes(2)),
                     [&disk] { disk.faults = DiskFaults(); });
  }

  static bool IsUnsound(const Disk& disk) {
    const DiskFaults& faults = disk.faults;
    return faults.is_full || faults.write_fails > 0 || faults.sync_fails > 0 ||
           faults.rename_fails > 0;
  }

  bool IsAble() const {
    return coordinator_.node != nullptr && coordinator_.node->process().alive() &&
           !IsUnsound(coordinator_.disk);
  }

  void EndFaults() {
    faults_are_over_ = true;
    network_.faults = NetworkFaults();
    network_.HealAll();
    trainer_faults_ = TrainerFaults();
    coordinator_.disk.faults = DiskFaults();
    coordinator_.dies_in_start_at = 0;
    if (coordinator_.node != nullptr) coordinator_.node->process().DieAtFileOperation(0);
    for (const auto& machine : workers_) {
      machine->disk.faults = DiskFaults();
      machine->dies_in_start_at = 0;
      if (machine->node != nullptr) machine->node->process().DieAtFileOperation(0);
    }
    promises_.ExpectEndBy(scheduler_.now() + kEndWait * (1 + recipe_.rounds()));
    if (trace_.kept()) trace_.Note(0, "no more faults");
  }

  // The job has completed: faults may cost attempts, but of those a recipe can ask for (DrawRecipe
  // does) never all. What was acknowledged is there after one more power cut.
  void CheckTheEnd() {
    if (!faults_are_over_) EndFaults();
    if (promises_.job().status != jobs::JobStatus::kCompleted) {
      promises_.Violate(absl::StrCat("the job did not complete: ", promises_.job().reason));
    }
    coordinator_.node.reset();
    coordinator_.disk.LosePower();
    StartCoordinator();
    if (!promises_.violation().empty()) return;
    const Digest& model = promises_.job().model;
    const auto digest =
        Sha256OfFile(coordinator_.node->files(), coordinator_.node->models().PathOf(model));
    if (!digest.ok() || *digest != model) {
      promises_.Violate("the last committed model is not on the disk at the end");
    }
  }

  SimulationResult Result() {
    SimulationResult result;
    result.rounds = promises_.job().rounds_committed;
    result.attempts = promises_.attempts_ended();
    result.faults =
        strikes_ + crashes_ + network_.breaks() + trainer_failures_ + coordinator_.disk.failures();
    for (const auto& machine : workers_) result.faults += machine->disk.failures();
    result.events = scheduler_.events_run();
    result.violation = promises_.violation();
    if (trace_.kept()) {
      if (!result.violation.empty()) trace_.Note(0, result.violation);
      result.trace = trace_.Text();
    }
    return result;
  }

  Scheduler scheduler_;
  Trace trace_;
  Network network_;
  Chance drawn_;  // The plan's own, so that what programs draw does not change it.
  const FaultPlan plan_;
  const LocalPolicy policy_;
  const ToyModel initial_;
  v1::Recipe recipe_;
  worker::OfferedDatasets datasets_;
  TrainerFaults trainer_faults_;
  uint64_t trainer_failures_ = 0;
  uint64_t strikes_ = 0;
  uint64_t crashes_ = 0;
  bool faults_are_over_ = false;
  Promises promises_;
  std::vector<WorkerId> worker_ids_;
  Machine<CoordinatorNode> coordinator_;
  std::vector<std::unique_ptr<Machine<WorkerNode>>> workers_;
};

}  // namespace

SimulationResult RunSimulation(const SimulationOptions& options) {
  return Federation(options).Run();
}

}  // namespace entente::sim
