// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_AWAY_TEXT_H_
#define COMMON_CONFIG_AWAY_TEXT_H_

// A worker that is away, in words and on the wire.

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "entente/v1/member.pb.h"

namespace entente {

// "Mon 30 Nov 08:00 UTC": a time that may be days off, for people in several time zones. With
// seconds if it has any: "Mon 30 Nov 08:00:05 UTC".
std::string DayText(absl::Time time);

// "away until Mon 30 Nov 08:00 UTC: the GPU is lent", "away: the GPU is lent", "away".
std::string AwayText(const v1::Away& away);

// INVALID_ARGUMENT if it holds a time that no calendar has.
absl::Status CheckAway(const v1::Away& away);

}  // namespace entente

#endif  // COMMON_CONFIG_AWAY_TEXT_H_
