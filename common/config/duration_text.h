// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_DURATION_TEXT_H_
#define COMMON_CONFIG_DURATION_TEXT_H_

// Durations as people write them: "500ms", "90s", "10m", "2h", "3d", "1h30m".

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace entente {

// Numbers, each with one of the units d, h, m, s, ms, us, ns, added up; "1.5h" works too.
// INVALID_ARGUMENT with half a sentence ("must be ...") otherwise, and for over 10,000 years.
absl::StatusOr<absl::Duration> ParseDurationText(absl::string_view text);

// The same in as few units as it takes: 90 seconds are "1m30s". ParseDurationText reads it back.
// Parts of a nanosecond are dropped; a negative duration has a "-" in front, an infinite one is
// "inf".
std::string DurationText(absl::Duration duration);

}  // namespace entente

#endif  // COMMON_CONFIG_DURATION_TEXT_H_
