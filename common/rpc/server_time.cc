// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/server_time.h"

namespace entente {

std::string FormatServerTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

std::optional<absl::Time> ParseServerTime(absl::string_view text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%dT%H:%M:%E*SZ", text, &time, &error)) return std::nullopt;
  // ParseTime knows "infinite-future", too.
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return std::nullopt;
  return time;
}

}  // namespace entente
