// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_CLI_COORDINATOR_FIXTURE_H_
#define TESTS_UNIT_CLI_COORDINATOR_FIXTURE_H_

// Whole commands against a fake coordinator.

#include <string>
#include <vector>

#include "tests/unit/cli/command_fixture.h"
#include "tests/unit/cli/fake_coordinator.h"
#include "tests/unit/cli/job_fixture.h"

namespace entente::cli {

class CoordinatorFixture : public CommandFixture {
 protected:
  // Runs `entente` with these words and the options that lead to the coordinator.
  ExitCode RunThere(const std::vector<std::string>& words) {
    return Run(coordinator_.Arguments(words));
  }

  FakeState& state() { return coordinator_.state(); }

  // The coordinator knows these jobs from now on.
  void SetJobs(std::vector<v1::Job> jobs) {
    absl::MutexLock lock(&state().mu);
    state().jobs = std::move(jobs);
  }

  FakeCoordinator coordinator_{folder_};
};

}  // namespace entente::cli

#endif  // TESTS_UNIT_CLI_COORDINATOR_FIXTURE_H_
