// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_HTTP_DASHBOARD_H_
#define COORDINATOR_HTTP_DASHBOARD_H_

// The dashboard's addresses. Read-only; who sees what is a table in docs/operations.md.
//
//   /  /jobs  /jobs/ID  /jobs/ID/rounds/N  /events    the pages: no news of anybody in them
//   /assets/VERSION/NAME                              what they load
//   /api/summary                                      for everybody
//   /api/federation  /api/jobs  /api/jobs/ID  /api/jobs/ID/history?members=A,B
//   /api/jobs/ID/rounds/N?attempt=A  /api/jobs/ID/recipe.yaml
//   /api/events?job=&event=&worker=&text=&bad=1&before=POSITION
//   /api/models/DIGEST.safetensors                    those of 32 MiB at most
//   /api/stream?page=federation|jobs|events|job&job=ID&since=POSITION
//
// What fails is {"error": sentence}; an `event` is one of EventNames of journal_line.h. States
// carry "position", for /api/stream. Beside what JobJson says, a job has "modelBytesMax", the most
// that /api/models gives, and, if its newest model is here, "modelBytes".

#include <memory>
#include <vector>

#include "common/http/http_message.h"
#include "coordinator/http/event_feed.h"
#include "coordinator/http/status_view.h"
#include "coordinator/models/model_store.h"

namespace entente::dashboard {

struct DashboardParts {
  StatusSources sources;
  std::shared_ptr<EventFeed> feed;             // Shared with whoever tells it what changes.
  const models::ModelStore* models = nullptr;  // Borrowed.
};

std::vector<http::Route> DashboardRoutes(const DashboardParts& parts);

}  // namespace entente::dashboard

#endif  // COORDINATOR_HTTP_DASHBOARD_H_
