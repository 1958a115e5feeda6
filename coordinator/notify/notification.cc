// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/notification.h"

#include <nlohmann/json.hpp>

#include "common/base/limits.h"
#include "common/base/utf8.h"

namespace entente::notify {

absl::string_view EventName(Event event) {
  switch (event) {
    case Event::kJobFinished:
      return "job_finished";
    case Event::kJobFailed:
      return "job_failed";
    case Event::kJobCancelled:
      return "job_cancelled";
    case Event::kRoundAborted:
      return "round_aborted";
    case Event::kWorkerGone:
      return "worker_gone";
  }
  return "";
}

std::string ToJson(const Notification& notification, absl::string_view coordinator) {
  nlohmann::ordered_json json;
  json["id"] = notification.id;
  json["event"] = std::string(EventName(notification.event));
  json["time"] = absl::FormatTime(absl::RFC3339_sec, notification.at, absl::UTCTimeZone());
  json["coordinator"] = std::string(coordinator);
  if (!notification.job.empty()) json["job"] = notification.job.value();
  if (notification.round_index.has_value()) {
    json["round"] = uint64_t{*notification.round_index} + 1;
    json["attempt"] = notification.attempt;
  }
  if (!notification.worker.empty()) json["worker"] = notification.worker.value();
  json["reason"] = std::string(ClipUtf8(ToValidUtf8(notification.reason), limits::kReasonBytesMax));
  if (!notification.trace.empty()) json["trace"] = notification.trace;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace entente::notify
