// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RPC_SERVER_TIME_H_
#define COMMON_RPC_SERVER_TIME_H_

// The coordinator's clock beside its answer to GetVersion, so that `entente doctor` can compare it:
// one entry of initial metadata.

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace entente {

inline constexpr char kServerTimeKey[] = "entente-time";

// RFC 3339 with milliseconds, in UTC: "2026-03-01T12:00:41.123Z".
std::string FormatServerTime(absl::Time time);

// None if it is not one.
std::optional<absl::Time> ParseServerTime(absl::string_view text);

}  // namespace entente

#endif  // COMMON_RPC_SERVER_TIME_H_
