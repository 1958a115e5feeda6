// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_JOB_TEXT_H_
#define CLI_JOB_TEXT_H_

// Jobs and rounds in words, the same in tables, in the live picture and in plain lines. Rounds are
// counted from 1 here, from 0 on the wire.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entente/v1/job.pb.h"

namespace entente::cli {

// "running", "grace", "accepted"; empty if not set.
std::string JobStateWord(v1::JobState state);
std::string RoundPhaseWord(v1::RoundPhase phase);
std::string ParticipantStateWord(v1::ParticipantState state);

bool HasEnded(const v1::Job& job);

// "3/12": the round in flight or the last one, of how many; "0/12" before the first.
std::string RoundPosition(const v1::Job& job);

// "loss 0.612, accuracy 78.2 %", the held-out metrics, or the training loss if there are none;
// empty if nothing was measured.
std::string MetricsText(const v1::Round& round);
std::string MetricsText(const v1::Metrics& metrics);

// Training losses and held-out ones are different measures: never both in one line of a chart.
struct RoundLosses {
  std::string name;  // "loss", the held-out one, or "training loss".
  std::vector<double> values;
};

// The held-out losses of those rounds that were evaluated; if none was, the training losses.
RoundLosses LossesOf(const std::vector<v1::Round>& rounds);

// How long the job has run, or ran.
absl::Duration Elapsed(const v1::Job& job, absl::Time now);

// Whether it takes so much longer than its rounds so far, the round in flight or all of it, that
// expected_end_at says nothing any more.
bool IsLate(const v1::Job& job, absl::Time now);

// "3 min 20 s ago".
std::string AgeText(absl::Time time, absl::Time now);

// The first 12 digits, as people compare digests; empty for none.
std::string ShortDigest(absl::string_view digest);

}  // namespace entente::cli

#endif  // CLI_JOB_TEXT_H_
