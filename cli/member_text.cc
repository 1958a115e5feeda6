// SPDX-License-Identifier: Apache-2.0
#include "cli/member_text.h"

#include "cli/job_text.h"
#include "common/config/away_text.h"
#include "common/config/proto_time.h"

namespace entente::cli {

std::string WorkerName(const v1::Worker& worker) {
  return worker.id().substr(worker.id().find('/') + 1);
}

std::string SandboxText(const v1::Worker& worker) {
  return worker.sandbox() == "none" ? "none!" : worker.sandbox();
}

std::string ActivityText(const v1::Worker& worker) {
  if (worker.has_away()) return AwayText(worker.away());
  return worker.connected() ? worker.activity() : worker.reason();
}

std::string LastSeenText(const v1::Worker& worker, absl::Time now) {
  return worker.has_last_seen_at() ? AgeText(ToTime(worker.last_seen_at()), now) : "";
}

}  // namespace entente::cli
