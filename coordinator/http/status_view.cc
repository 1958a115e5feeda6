// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/status_view.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/status_macros.h"
#include "common/config/proto_to_json.h"
#include "coordinator/http/round_view.h"
#include "coordinator/http/setbacks.h"
#include "coordinator/jobs/job_state.h"
#include "coordinator/service/job_converter.h"
#include "coordinator/service/member_converter.h"

namespace entente::dashboard {
namespace {

constexpr size_t kJobsMax = 500;
constexpr size_t kTrailPointsMax = 48;
constexpr uint32_t kLinesMax = 200;
constexpr uint32_t kPageEntries = 500;  // Read at once; the journal cannot be written meanwhile.
constexpr uint32_t kEntriesSeenMax = 20'000;  // Before a filter that fits nothing gives up.

Json NumberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// Evenly thinned, the last one included.
Json TrailJson(const engine::JobHistory& history) {
  std::vector<const engine::RoundChronicle*> points;
  for (const auto& chronicle : history.chronicles) {
    if (chronicle->phases.back().phase == rounds::RoundPhase::kCommitted) {
      points.push_back(chronicle.get());
    }
  }
  const size_t stride = points.size() / kTrailPointsMax + 1;
  Json trail = Json::array();
  for (size_t i = 0; i < points.size(); ++i) {
    if ((points.size() - 1 - i) % stride != 0) continue;
    const engine::RoundChronicle& point = *points[i];
    const bool evaluated = point.evaluation.has_value();
    const bool has_accuracy = evaluated && point.evaluation->accuracy.has_value();
    trail.push_back({evaluated ? NumberOrNull(point.evaluation->loss) : Json(nullptr),
                     has_accuracy ? NumberOrNull(*point.evaluation->accuracy) : Json(nullptr),
                     NumberOrNull(point.training_loss)});
  }
  return trail;
}

void RemoveParticipants(Json* job) {
  if (const auto round = job->find("round"); round != job->end()) round->erase("participants");
}

}  // namespace

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

Json SummaryJson(const StatusSources& sources) {
  const auto workers = sources.workers->Snapshot();
  const auto attached = std::count_if(workers.begin(), workers.end(),
                                      [](const auto& worker) { return worker.attached; });
  Json jobs = Json::array();
  for (const auto& job : sources.jobs->All()) {
    const engine::JobView view = job->View();
    if (view.state->HasEnded()) continue;
    jobs.push_back({{"name", view.description->recipe.name()},
                    {"roundsCommitted", view.state->rounds_committed},
                    {"roundCount", view.state->plan.round_count}});
  }
  return {{"now", TimeText(sources.clock->Now())},
          {"memberCount", sources.workers->members().size()},
          {"workersConnected", attached},
          {"jobs", std::move(jobs)}};
}

Json WorkerJson(const members::WorkerSnapshot& worker) {
  return ProtoToJson(service::ToProto(worker));
}

Json FederationJson(const StatusSources& sources) {
  const auto workers = sources.workers->Snapshot();
  Json members = Json::array();
  for (const members::MemberInfo& member : sources.workers->members()) {
    members.push_back(ProtoToJson(service::ToProto(member, workers)));
  }
  Json jobs = Json::array();
  for (const auto& job : sources.jobs->All()) {
    if (!job->HasEnded()) jobs.push_back(JobBriefJson(sources, *job));
  }
  return {{"now", TimeText(sources.clock->Now())},
          {"version", sources.version},
          {"members", std::move(members)},
          {"jobs", std::move(jobs)}};
}

Json JobsJson(const StatusSources& sources) {
  const auto all = sources.jobs->All();
  Json jobs = Json::array();
  for (size_t i = 0; i < std::min(all.size(), kJobsMax); ++i) {
    Json job = JobBriefJson(sources, *all[i]);
    job["trail"] = TrailJson(all[i]->History());
    jobs.push_back(std::move(job));
  }
  return {
      {"now", TimeText(sources.clock->Now())}, {"jobCount", all.size()}, {"jobs", std::move(jobs)}};
}

Json JobBriefJson(const StatusSources& sources, const engine::JobEngine& job) {
  Json json = ProtoToJson(service::ToProto(job.View(), *sources.workers, sources.clock->Now(),
                                           service::Detail::kBrief));
  json["dataset"] = job.description().recipe.dataset();
  return json;
}

absl::StatusOr<Json> JobJson(const StatusSources& sources, const engine::JobEngine& job) {
  const engine::JobView view = job.View();
  const engine::RoundChronicle chronicle = job.ChronicleInFlight();
  Json json = ProtoToJson(
      service::ToProto(view, *sources.workers, sources.clock->Now(), service::Detail::kFull));
  json["dataset"] = job.description().recipe.dataset();
  json["recipeYaml"] = ProtoToYaml(job.description().recipe);
  RemoveParticipants(&json);
  Json participants = Json::array();
  for (auto& [worker, participant] : ParticipantsJson(sources, view, chronicle)) {
    participants.push_back(std::move(participant));
  }
  json["round"]["participants"] = std::move(participants);
  ENTENTE_ASSIGN_OR_RETURN(Json lines, RoundLinesJson(sources, job.description().id, chronicle));
  return Json{{"now", TimeText(sources.clock->Now())},
              {"job", std::move(json)},
              {"phases", PhasesJson(chronicle)},
              {"lines", std::move(lines)}};
}

std::map<WorkerId, Json> ParticipantsJson(const StatusSources& sources, const engine::JobView& view,
                                          const engine::RoundChronicle& chronicle) {
  const v1::Round round = service::ToProto(view, view.state->round, *sources.workers,
                                           sources.clock->Now(), service::Detail::kFull);
  std::map<WorkerId, Json> participants;
  for (const v1::Participant& participant : round.participants()) {
    const WorkerId worker(participant.worker());
    Json json = ProtoToJson(participant);
    Json activities = Json::array();
    if (const auto it = chronicle.activities.find(worker); it != chronicle.activities.end()) {
      for (const engine::ActivityStart& start : it->second) {
        activities.push_back({{"activity", start.activity}, {"at", TimeText(start.at)}});
      }
    }
    json["activities"] = std::move(activities);
    participants[worker] = std::move(json);
  }
  return participants;
}

absl::StatusOr<Json> LinesJson(const StatusSources& sources, const JobId& job,
                               const LineFilter& filter, uint64_t position) {
  Setbacks setbacks(sources.jobs);
  Json lines = Json::array();
  for (uint32_t seen = 0; seen < kEntriesSeenMax && lines.size() < kLinesMax;) {
    ENTENTE_ASSIGN_OR_RETURN(const auto entries,
                             sources.journal->ReadBack(job, position, kPageEntries));
    for (const store::PlacedEntry& placed : entries) {
      if (lines.size() == kLinesMax) break;
      position = placed.position;
      ++seen;
      if (!setbacks.IsKnown(placed.entry)) continue;  // Told by the feed in a moment.
      const std::string setback = setbacks.Of(placed.entry);
      if (Fits(filter, LineOf(placed.entry, setback))) {
        lines.push_back(LineJson(placed.entry, placed.position, setback));
      }
    }
    if (entries.size() < kPageEntries && lines.size() < kLinesMax) {
      position = 0;
      break;
    }
  }
  return Json{
      {"now", TimeText(sources.clock->Now())}, {"lines", std::move(lines)}, {"next", position}};
}

}  // namespace entente::dashboard
