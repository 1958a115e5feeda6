// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_POLICY_DAILY_HOURS_H_
#define WORKER_POLICY_DAILY_HOURS_H_

// A time of the day that comes back every day, in UTC: "20:00-06:00" is from eight in the evening
// to just before six in the morning.

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace entente {

class DailyHours {
 public:
  // Two times HH:MM from 00:00 to 24:00, the first included, the second not, over midnight if the
  // second is earlier. INVALID_ARGUMENT with half a sentence ("must be ...") otherwise, or if they
  // are the same.
  static absl::StatusOr<DailyHours> Parse(absl::string_view text);

  bool Contains(absl::Time time) const;

 private:
  DailyHours(int from_minute, int until_minute)
      : from_minute_(from_minute), until_minute_(until_minute) {}

  // Of the day, 0 to 1,440.
  int from_minute_;
  int until_minute_;
};

}  // namespace entente

#endif  // WORKER_POLICY_DAILY_HOURS_H_
