// SPDX-License-Identifier: Apache-2.0
#include "coordinator/rounds/cohort_selection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/random_source.h"

namespace entente::rounds {

std::vector<WorkerId> SelectCohort(CohortRequest request) {
  // No more than can be aggregated.
  const size_t wanted = std::min(ShareOf(request.fraction, request.eligible.size()),
                                 size_t{limits::kUpdatesPerRoundMax});
  if (wanted >= request.eligible.size()) {
    std::sort(request.eligible.begin(), request.eligible.end());
    return std::move(request.eligible);
  }
  // Every worker draws a lot of its own, so whoever else is attached does not change it.
  const uint64_t round_seed =
      DeriveSeed(request.seed, absl::StrCat("cohort ", request.round_index, " ", request.attempt));
  std::vector<std::pair<uint64_t, WorkerId>> lots;
  for (WorkerId& worker : request.eligible) {
    const uint64_t lot = DeriveSeed(round_seed, worker.value());
    lots.emplace_back(lot, std::move(worker));
  }
  std::sort(lots.begin(), lots.end());
  lots.resize(wanted);
  std::vector<WorkerId> cohort;
  for (auto& [lot, worker] : lots) cohort.push_back(std::move(worker));
  std::sort(cohort.begin(), cohort.end());
  return cohort;
}

}  // namespace entente::rounds
