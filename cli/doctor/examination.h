// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_DOCTOR_EXAMINATION_H_
#define CLI_DOCTOR_EXAMINATION_H_

// What `entente doctor` has looked at and found, one line each:
//
//   ok    name       coordinator.alliance.example is known
//   warn  clock      this machine is 7 s behind the coordinator; let its clock be set by NTP
//   FAIL  port       127.0.0.1:7443 refuses connections; is the coordinator running?

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/output.h"

namespace entente::cli {

enum class Verdict {
  kOk,
  kWarn,  // Works now; will not for long, or not well.
  kFail,
};

struct Finding {
  std::string name;  // Of what was looked at: "port".
  Verdict verdict = Verdict::kOk;
  std::string seen;
  std::string fix;  // Empty if there is nothing to mend, or `seen` says all that is known.
};

// Not thread-safe.
class Examination {
 public:
  // Whether `status` is OK; `good` is what was seen then. Its message is taken apart at its first
  // "; ", before which our messages say what is wrong, and after which what to do.
  bool Add(absl::string_view name, const absl::Status& status, absl::string_view good);

  void Ok(absl::string_view name, absl::string_view seen);
  void Warn(absl::string_view name, absl::string_view seen, absl::string_view fix);
  void Fail(absl::string_view name, absl::string_view seen, absl::string_view fix);

  const std::vector<Finding>& findings() const { return findings_; }

  // Nothing failed; there may be warnings.
  bool IsHealthy() const;

  // {"ok": true, "checks": [{"name", "ok", "status": "ok"|"warn"|"fail", "message", "fix"}]} for
  // programs; `message` holds the fix too.
  void Print(Output& output) const;

 private:
  std::vector<Finding> findings_;
};

}  // namespace entente::cli

#endif  // CLI_DOCTOR_EXAMINATION_H_
