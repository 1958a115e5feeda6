// SPDX-License-Identifier: Apache-2.0
// entente-sim: runs federations in simulated time, each from a seed, and says whether they kept
// what they promise.

#include <pthread.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/log.h"
#include "sim/federation.h"

namespace entente::sim {
namespace {

constexpr int kExitBadUsage = 2;
constexpr uint64_t kSeedMax = uint64_t{1} << 62;
constexpr uint64_t kSeedsMax = uint64_t{1} << 32;

struct CommandLine {
  uint64_t seeds = 100;
  uint64_t first_seed = 1;
  uint64_t seed = 0;
  uint32_t jobs = std::max(1U, std::thread::hardware_concurrency());
  uint32_t rounds = 0;
  bool traces = false;
  bool shows_log = false;
};

// What the seeds that have been run came to. Thread-safe.
class Tally {
 public:
  explicit Tally(const CommandLine& line) : line_(line) {}

  void Add(uint64_t seed, const SimulationResult& result) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    rounds_ += result.rounds;
    faults_ += result.faults;
    std::fputs(result.trace.c_str(), stdout);
    if (result.violation.empty()) return;
    ++violations_;
    const std::string rounds_option =
        line_.rounds > 0 ? absl::StrCat(" --rounds ", line_.rounds) : "";
    std::fprintf(stderr, "seed %s: %s; replay it with: entente-sim --seed %s%s --trace\n",
                 absl::StrCat(seed).c_str(), result.violation.c_str(), absl::StrCat(seed).c_str(),
                 rounds_option.c_str());
  }

  // The exit status.
  int Print(uint64_t count) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    // Mermaid takes a line that begins with %% as a comment.
    std::printf("%s%s seeds, %s rounds, %s faults, %s violations\n", line_.traces ? "%% " : "",
                absl::StrCat(count).c_str(), absl::StrCat(rounds_).c_str(),
                absl::StrCat(faults_).c_str(), absl::StrCat(violations_).c_str());
    return violations_ == 0 ? 0 : 1;
  }

 private:
  const CommandLine line_;
  absl::Mutex mu_;
  uint64_t rounds_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t faults_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t violations_ ABSL_GUARDED_BY(mu_) = 0;
};

// Binds the calling thread, and those that it will start, to the `index`-th of the processors that
// this process may use. The threads of a run take turns, and a turn that goes to another processor
// costs more than what is done in it: a run takes three times as long. One that cannot be bound
// runs all the same.
void StayOnProcessor(uint64_t index) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
  uint64_t left = index % static_cast<uint64_t>(CPU_COUNT(&allowed));
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (!CPU_ISSET(processor, &allowed) || left-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
    return;
  }
}

int Run(const CommandLine& line, bool runs_one_seed) {
  const uint64_t first = runs_one_seed ? line.seed : line.first_seed;
  const uint64_t count = runs_one_seed ? 1 : line.seeds;
  Tally tally(line);
  std::atomic<uint64_t> next = 0;
  const auto run_seeds = [&](uint64_t thread) {
    StayOnProcessor(thread);
    for (uint64_t i = next++; i < count; i = next++) {
      tally.Add(
          first + i,
          RunSimulation({.seed = first + i, .rounds = line.rounds, .keeps_trace = line.traces}));
    }
  };
  // A run keeps one processor busy and knows of no other run.
  std::vector<std::thread> threads;
  for (uint64_t i = 1; i < std::min<uint64_t>(line.jobs, count); ++i)
    threads.emplace_back(run_seeds, i);
  run_seeds(0);
  for (std::thread& thread : threads) thread.join();
  return tally.Print(count);
}

}  // namespace
}  // namespace entente::sim

int main(int argc, char** argv) {
  using entente::sim::kExitBadUsage;
  using entente::sim::kSeedMax;
  using entente::sim::kSeedsMax;
  CLI::App app(
      "Runs federations in simulated time: the coordinator's and the workers' own code, over a "
      "network, disks and clocks that fail as the seed says. Ends with 1 if a promise was broken.",
      "entente-sim");
  entente::sim::CommandLine line;
  CLI::Option* const seeds =
      app.add_option("--seeds", line.seeds, "How many seeds to run, one federation each")
          ->capture_default_str()
          ->check(CLI::Range(uint64_t{1}, kSeedsMax));
  app.add_option("--first-seed", line.first_seed, "The first of them")
      ->capture_default_str()
      ->check(CLI::Range(uint64_t{0}, kSeedMax));
  app.add_option("-j,--jobs", line.jobs, "Seeds run at a time; without it one a processor")
      ->check(CLI::Range(1, 1024));
  CLI::Option* const seed = app.add_option("--seed", line.seed, "Run this seed alone")
                                ->check(CLI::Range(uint64_t{0}, kSeedMax))
                                ->excludes(seeds);
  app.add_option("--rounds", line.rounds, "Rounds of each job; without it the seed chooses 1 to 4")
      ->check(CLI::Range(1, 1'000'000));
  app.add_flag("--trace", line.traces,
               "Print what happens as a Mermaid sequence diagram; for one seed")
      ->needs(seed);
  app.add_flag("--log", line.shows_log, "Show the programs' own logs on standard error");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // --help is one, too.
    return app.exit(error) == 0 ? 0 : kExitBadUsage;
  }
  entente::log::Configure(entente::log::Format::kText, line.shows_log ? entente::log::Level::kDebug
                                                                      : entente::log::Level::kNone);
  return entente::sim::Run(line, seed->count() > 0);
}
