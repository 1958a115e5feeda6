// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_HTTP_STATUS_VIEW_H_
#define COORDINATOR_HTTP_STATUS_VIEW_H_

// What the dashboard shows, as JSON. Members, jobs and rounds are those of the wire, with the keys
// and words of `entente -o json`; beside them stands what only a browser wants. Rounds that are
// called "round" count from 1, as people count; a "roundIndex" is the wire's.
//
// Nothing here changes anything. Thread-safe, as what it reads is.

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/strong_id.h"
#include "coordinator/engine/job_directory.h"
#include "coordinator/http/journal_line.h"
#include "coordinator/members/worker_registry.h"
#include "coordinator/store/journal_reader.h"

namespace entente::dashboard {

using Json = nlohmann::ordered_json;

// Borrowed, but for the version.
struct StatusSources {
  const Clock* clock = nullptr;
  const engine::JobDirectory* jobs = nullptr;
  const members::WorkerRegistry* workers = nullptr;
  const store::JournalReader* journal = nullptr;
  std::string version;
};

// For everybody: how many there are, and how far the jobs are; no names of workers, no figures.
Json SummaryJson(const StatusSources& sources);

// {"now", "version", "members": [Member...], "jobs": [those that run, as JobBriefJson]}
Json FederationJson(const StatusSources& sources);

// A worker of the wire.
Json WorkerJson(const members::WorkerSnapshot& worker);

// {"now", "jobCount", "jobs": [...]}: newest first, a few hundred at most, each with "trail", a few
// dozen of [held-out loss, accuracy, training loss] (null where unknown) from its first round to
// its last.
Json JobsJson(const StatusSources& sources);

// A job of the wire without recipe and participants.
Json JobBriefJson(const StatusSources& sources, const engine::JobEngine& job);

// The same with recipe ("recipeYaml" is it as text), the participants of the round in flight, its
// chronicle and its lines of the journal: {"now", "job", "chronicle", "lines"}.
absl::StatusOr<Json> JobJson(const StatusSources& sources, const engine::JobEngine& job);

// The participants of the round in flight or of the last one, each with "activities":
// [{"activity", "at"}].
std::map<WorkerId, Json> ParticipantsJson(const StatusSources& sources, const engine::JobView& view,
                                          const engine::RoundChronicle& chronicle);

// Lines of the journal, newest first: {"lines": [...], "next"}; `next` is the position to go on
// from and 0 at the end. Looks at a bounded part of the journal, so there may be none and more to
// come. Of `job` alone if it is not empty.
absl::StatusOr<Json> LinesJson(const StatusSources& sources, const JobId& job,
                               const LineFilter& filter, uint64_t position);

// "2026-01-31T12:00:00.123Z".
std::string TimeText(absl::Time time);

}  // namespace entente::dashboard

#endif  // COORDINATOR_HTTP_STATUS_VIEW_H_
