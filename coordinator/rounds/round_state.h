// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ROUNDS_ROUND_STATE_H_
#define COORDINATOR_ROUNDS_ROUND_STATE_H_

// What is known of one attempt of one round. A value: copied, compared, and folded from events.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/strong_id.h"
#include "common/crypto/sha256.h"

namespace entente::rounds {

// round_machine.h draws how one follows the other.
enum class RoundPhase {
  kPlanned,
  kCollecting,
  kGrace,
  kAggregating,
  kEvaluating,
  kCommitted,
  kAborted,
};

// "planned", "collecting", ...
absl::string_view PhaseName(RoundPhase phase);

enum class ParticipantState {
  kInvited,   // Asked; no answer yet.
  kWorking,   // Took the task.
  kDeclined,  // Its own policy or state forbids; final.
  kAccepted,  // Its update is in; final, unless that is lost.
  kRefused,   // Its update was not fit; final.
  kMissing,   // Silent past its lease, or stopped; may come back while the round is open.
  kFailed,    // Said that its task failed; not awaited, but an update that comes still counts.
  // Said that it is away; neither awaited nor counted for a quorum that is a share, but an update
  // that comes still counts.
  kSkipped,
  // Was asked or at work when the attempt was aborted before its time; has missed nothing. Final.
  kUnfinished,
};

// "invited", "working", ...
absl::string_view ParticipantStateName(ParticipantState state);

// What was measured on `examples` examples.
struct Metrics {
  uint64_t examples = 0;
  double loss = 0;
  std::optional<double> accuracy;  // 0 to 1; classification only.

  friend bool operator==(const Metrics&, const Metrics&) = default;
};

// An update in the spool.
struct UpdateRecord {
  Digest digest;
  uint64_t bytes = 0;
  uint64_t examples = 0;
  double training_loss = 0;
  uint64_t sent_bytes = 0;  // As they travelled; 0: as many as `bytes`.
  // updates::ValidUpdate::norm. None: accepted by a version that did not measure it.
  std::optional<double> norm = std::nullopt;

  uint64_t BytesUp() const { return sent_bytes == 0 ? bytes : sent_bytes; }
  friend bool operator==(const UpdateRecord&, const UpdateRecord&) = default;
};

// What a worker says of an update before it sends it.
struct AnnouncedUpdate {
  Digest digest;       // None: refused by a version that did not note it.
  uint64_t bytes = 0;  // As it is encoded.

  friend bool operator==(const AnnouncedUpdate&, const AnnouncedUpdate&) = default;
};

struct Participant {
  ParticipantState state = ParticipantState::kInvited;
  // Why it declined, was refused, is missing, failed, is skipped or unfinished, lost what was
  // accepted, or could not evaluate.
  std::string reason;
  UpdateRecord update;        // Meaningful while kAccepted.
  AnnouncedUpdate refused;    // Meaningful while kRefused.
  uint32_t updates_lost = 0;  // Of this attempt, after they were accepted.
  double weight = 0;          // How much its update counted; 0 until aggregated.
  bool evaluation_awaited = false;
  std::optional<Metrics> evaluation;

  // As far as is known it trains, or is about to.
  bool IsAskedOrWorking() const {
    return state == ParticipantState::kInvited || state == ParticipantState::kWorking;
  }

  friend bool operator==(const Participant&, const Participant&) = default;
};

// The recipe's pacing, as far as a round needs it. Exactly one of quorum_count and quorum_share.
struct RoundPolicy {
  std::optional<uint32_t> quorum_count;
  std::optional<double> quorum_share;
  absl::Duration deadline = absl::Hours(1);
  absl::Duration grace = absl::Seconds(30);
  absl::Duration evaluation_deadline = absl::Minutes(5);
  bool evaluates = true;  // Whether members evaluate this round's model.

  friend bool operator==(const RoundPolicy&, const RoundPolicy&) = default;
};

struct RoundState {
  uint32_t round_index = 0;
  uint32_t attempt = 1;
  Digest base_model;
  RoundPolicy policy;

  RoundPhase phase = RoundPhase::kPlanned;
  std::string reason;  // Why it is in this phase, one sentence.
  absl::Time planned_at = absl::InfinitePast();
  absl::Time opened_at = absl::InfinitePast();
  // When the phase ends at the latest; InfiniteFuture if it waits for our own work only.
  absl::Time closes_at = absl::InfiniteFuture();
  absl::Time ended_at = absl::InfinitePast();

  uint32_t updates_required = 0;  // 0 until opened.
  std::map<WorkerId, Participant> participants;
  Digest model;            // What aggregation made.
  Digest optimizer_state;  // Likewise; none for an optimizer without state.

  bool IsOpen() const { return phase == RoundPhase::kCollecting || phase == RoundPhase::kGrace; }
  bool HasEnded() const { return phase == RoundPhase::kCommitted || phase == RoundPhase::kAborted; }
  uint32_t CountIn(ParticipantState state) const;

  // Whether the worker's update, or its evaluation of the round's model, may still come. No for who
  // takes no part.
  bool AwaitsUpdateOf(const WorkerId& worker) const;
  bool AwaitsEvaluationOf(const WorkerId& worker) const;

  friend bool operator==(const RoundState&, const RoundState&) = default;
};

// That share of `count`, rounded up.
size_t ShareOf(double share, size_t count);

// How many accepted updates a cohort of `cohort_size` needs: the count, or the share rounded up; at
// least 1.
uint32_t UpdatesRequired(const RoundPolicy& policy, size_t cohort_size);

}  // namespace entente::rounds

#endif  // COORDINATOR_ROUNDS_ROUND_STATE_H_
