// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_POLICY_LOCAL_POLICY_H_
#define WORKER_POLICY_LOCAL_POLICY_H_

// What this site permits: the member's last word on every task. The file is the site's own and is
// checked here; no coordinator can change or pass by it. proto/entente/config/v1/local_policy.proto
// says what it may hold, configs/policies/ has an example.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/file_system.h"
#include "entente/config/v1/local_policy.pb.h"
#include "worker/policy/daily_hours.h"

namespace entente {

// What a task would do here.
struct PolicyRequest {
  std::string submitter;   // A SPIFFE id.
  std::string purpose;     // The recipe's.
  std::string dataset;     // The recipe's.
  std::string model_kind;  // "mlp", "cnn" or "torchscript", see ModelKind().
  uint32_t rounds = 0;     // The recipe's.
  absl::Duration round_deadline = absl::ZeroDuration();  // The recipe's pacing.deadline.
  uint64_t update_bytes = 0;                             // Of the update it would send.
  bool starts_training = false;                          // Now; else the hours do not matter.
};

struct PolicyDecision {
  bool allowed = false;
  std::string
      rule;  // The rule that decided: its name, "default-deny", or e.g. "limits.rounds_max".
  std::string reason;  // One sentence for the submitter that names the rule; empty if allowed.
};

// Constant after Load; thread-safe.
class LocalPolicy {
 public:
  // Reads and checks the policy file.
  //
  // INVALID_ARGUMENT, as file:line:column: what is wrong: a rule without name or effect, a name
  // twice or one that our own rules have, an empty pattern, a model kind that does not exist, hours
  // that are none. NOT_FOUND and UNAVAILABLE: the file cannot be read.
  static absl::StatusOr<LocalPolicy> Load(FileSystem& files, const std::string& path);

  // Any deny rule that matches refuses; else the first allow rule that matches permits, within the
  // limits; else "default-deny" refuses.
  PolicyDecision Decide(const PolicyRequest& request, absl::Time now) const;

  // The same: OK, or PERMISSION_DENIED with the decision's reason.
  absl::Status Check(const PolicyRequest& request, absl::Time now) const;

 private:
  LocalPolicy(config::v1::LocalPolicy policy, std::optional<DailyHours> hours);

  PolicyDecision CheckLimits(const PolicyRequest& request, const std::string& rule,
                             absl::Time now) const;

  config::v1::LocalPolicy policy_;
  std::optional<DailyHours> hours_;  // None: always.
};

}  // namespace entente

#endif  // WORKER_POLICY_LOCAL_POLICY_H_
