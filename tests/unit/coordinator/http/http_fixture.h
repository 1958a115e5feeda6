// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COORDINATOR_HTTP_HTTP_FIXTURE_H_
#define TESTS_UNIT_COORDINATOR_HTTP_HTTP_FIXTURE_H_

#include <memory>
#include <string>

#include "coordinator/http/status_view.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::dashboard {

// A real engine, and what the dashboard reads of it.
class DashboardFixture : public engine::EngineTest {
 protected:
  StatusSources Sources() const;

  // A job of one round of fr-lab/w and kr-lab/w that has ended: fr-lab's update was accepted with
  // 30 examples, kr-lab's refused for a NaN.
  std::shared_ptr<engine::JobEngine> EndedJob();

  // A job that has failed, for nobody attached before the deadlines of its two attempts. Its
  // journal: submitted, and twice that a deadline passed.
  std::shared_ptr<engine::JobEngine> FailedJob();
};

}  // namespace entente::dashboard

#endif  // TESTS_UNIT_COORDINATOR_HTTP_HTTP_FIXTURE_H_
