// SPDX-License-Identifier: Apache-2.0
#include "worker/session/away_file.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/base/utf8.h"
#include "common/config/proto_time.h"

namespace entente::worker {
namespace {

using AwayJson = nlohmann::ordered_json;

constexpr uint64_t kAwayBytesMax = 16 << 10;

absl::Status NotANote(const std::string& path, absl::string_view fault) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", fault,
                   "; say \"entente-worker away\" or \"entente-worker back\" to write it anew"));
}

}  // namespace

std::string AwayFilePath(absl::string_view work_directory) {
  return absl::StrCat(work_directory, "/away.json");
}

absl::StatusOr<std::optional<v1::Away>> ReadAwayFile(FileSystem& files, const std::string& path) {
  if (!files.Exists(path)) return std::nullopt;
  ENTENTE_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(files, path, kAwayBytesMax));
  const AwayJson json = AwayJson::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return NotANote(path, "is not a JSON object");
  v1::Away away;
  if (const auto reason = json.find("reason"); reason != json.end()) {
    if (!reason->is_string()) return NotANote(path, "\"reason\" must be a text");
    away.set_reason(
        std::string(ClipUtf8(ToValidUtf8(reason->get<std::string>()), limits::kReasonBytesMax)));
  }
  if (const auto until = json.find("until"); until != json.end()) {
    if (!until->is_string()) return NotANote(path, "\"until\" must be a text");
    const absl::StatusOr<absl::Time> time = ParseUntil(until->get<std::string>());
    if (!time.ok()) return NotANote(path, absl::StrCat("\"until\" ", time.status().message()));
    *away.mutable_until() = ToProto(*time);
  }
  return away;
}

absl::Status WriteAwayFile(FileSystem& files, const std::string& path, const v1::Away& away) {
  AwayJson json = AwayJson::object();
  if (away.has_until()) {
    json["until"] = absl::FormatTime(absl::RFC3339_full, ToTime(away.until()), absl::UTCTimeZone());
  }
  json["reason"] = away.reason();
  return WriteTextFile(files, path,
                       json.dump(2, ' ', false, AwayJson::error_handler_t::replace) + "\n");
}

absl::StatusOr<absl::Time> ParseUntil(absl::string_view text) {
  for (const char* format : {"%Y-%m-%d%ET%H:%M:%E*S%Ez", "%Y-%m-%d%ET%H:%M%Ez", "%Y-%m-%d"}) {
    absl::Time time;
    std::string fault;
    // Neither "infinite-future" nor a year of five digits is a time to come back at.
    if (absl::ParseTime(format, text, absl::UTCTimeZone(), &time, &fault) &&
        time > absl::UnixEpoch() &&
        time < absl::FromCivil(absl::CivilYear(10'000), absl::UTCTimeZone())) {
      return time;
    }
  }
  return absl::InvalidArgumentError(
      "must be a time such as 2026-11-30T08:00Z, or a day such as 2026-11-30");
}

}  // namespace entente::worker
