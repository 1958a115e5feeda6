// SPDX-License-Identifier: Apache-2.0
// entente-sim: runs federations in simulated time, each from a seed, and says whether they kept
// what they promise.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "sim/federation.h"

namespace entente::sim {
namespace {

struct CommandLine {
  uint64_t seeds = 100;
  uint64_t first_seed = 1;
  uint64_t seed = 0;
  uint32_t rounds = 0;
  bool traces = false;
  bool shows_log = false;
};

int Run(const CommandLine& line, bool runs_one_seed) {
  const uint64_t first = runs_one_seed ? line.seed : line.first_seed;
  const uint64_t count = runs_one_seed ? 1 : line.seeds;
  uint64_t rounds = 0;
  uint64_t faults = 0;
  uint64_t violations = 0;
  for (uint64_t seed = first; seed - first < count; ++seed) {
    const SimulationResult result =
        RunSimulation({.seed = seed, .rounds = line.rounds, .keeps_trace = line.traces});
    rounds += result.rounds;
    faults += result.faults;
    std::fputs(result.trace.c_str(), stdout);
    if (result.violation.empty()) continue;
    ++violations;
    const std::string rounds_option =
        line.rounds > 0 ? absl::StrCat(" --rounds ", line.rounds) : "";
    std::fprintf(stderr, "seed %s: %s; replay it with: entente-sim --seed %s%s --trace\n",
                 absl::StrCat(seed).c_str(), result.violation.c_str(), absl::StrCat(seed).c_str(),
                 rounds_option.c_str());
  }
  // Mermaid takes a line that begins with %% as a comment.
  std::printf("%s%s seeds, %s rounds, %s faults, %s violations\n", line.traces ? "%% " : "",
              absl::StrCat(count).c_str(), absl::StrCat(rounds).c_str(),
              absl::StrCat(faults).c_str(), absl::StrCat(violations).c_str());
  return violations == 0 ? 0 : 1;
}

}  // namespace
}  // namespace entente::sim

int main(int argc, char** argv) {
  CLI::App app(
      "Runs federations in simulated time: the coordinator's and the workers' own code, over a "
      "network, disks and clocks that fail as the seed says. Ends with 1 if a promise was broken.",
      "entente-sim");
  entente::sim::CommandLine line;
  app.add_option("--seeds", line.seeds, "How many seeds to run, one federation each")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--first-seed", line.first_seed, "The first of them")->capture_default_str();
  CLI::Option* const seed = app.add_option("--seed", line.seed, "Run this seed alone");
  app.add_option("--rounds", line.rounds, "Rounds of each job; without it the seed chooses 1 to 4")
      ->check(CLI::Range(1, 1'000'000));
  app.add_flag("--trace", line.traces,
               "Print what happens as a Mermaid sequence diagram; for one seed")
      ->needs(seed);
  app.add_flag("--log", line.shows_log, "Show the programs' own logs on standard error");
  CLI11_PARSE(app, argc, argv);
  entente::log::Configure(entente::log::Format::kText, line.shows_log ? entente::log::Level::kDebug
                                                                      : entente::log::Level::kNone);
  return entente::sim::Run(line, seed->count() > 0);
}
