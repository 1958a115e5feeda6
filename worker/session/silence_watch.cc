// SPDX-License-Identifier: Apache-2.0
#include "worker/session/silence_watch.h"

namespace entente::worker {

SilenceWatch::SilenceWatch(absl::Time now, absl::Duration interval)
    : interval_(interval), due_at_(now + interval) {}

SilenceWatch::Verdict SilenceWatch::Check(absl::Time now) {
  if (now < due_at_) return Verdict::kNotDue;
  if (unanswered_ >= kUnansweredMax) return Verdict::kGiveUp;
  ++unanswered_;
  due_at_ = now + interval_;
  return Verdict::kBeat;
}

}  // namespace entente::worker
