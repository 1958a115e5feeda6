// SPDX-License-Identifier: Apache-2.0
#include "worker/policy/local_policy.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/closest_word.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/base/utf8.h"
#include "common/config/common_checks.h"
#include "common/config/config_file.h"
#include "common/config/duration_text.h"
#include "common/config/field_check.h"
#include "common/config/name_rules.h"
#include "common/config/proto_time.h"
#include "common/config/quoted.h"
#include "worker/policy/pattern.h"

namespace entente {
namespace {

using ::entente::config::v1::PolicyRule;
using Patterns = google::protobuf::RepeatedPtrField<std::string>;

constexpr absl::string_view kDefaultDeny = "default-deny";
constexpr absl::string_view kLimitsPrefix = "limits.";

const std::vector<std::string>& ModelKinds() {
  static const auto* const kinds = new std::vector<std::string>{"mlp", "cnn", "torchscript"};
  return *kinds;
}

void CheckPatterns(const std::string& path, const Patterns& patterns, FieldCheck* check) {
  for (int i = 0; i < patterns.size(); ++i) {
    check->Expect(absl::StrCat(path, "[", i, "]"), !patterns[i].empty(), Quoted(patterns[i]),
                  "must have something in it; * stands for anything");
  }
}

// A misspelt kind would make a deny rule that denies nothing.
void CheckModelKinds(const std::string& path, const Patterns& patterns, FieldCheck* check) {
  for (int i = 0; i < patterns.size(); ++i) {
    const bool fits =
        std::any_of(ModelKinds().begin(), ModelKinds().end(),
                    [&](const std::string& kind) { return MatchesPattern(patterns[i], kind); });
    const auto closest = ClosestWord(patterns[i], ModelKinds());
    check->Expect(
        absl::StrCat(path, "[", i, "]"), fits, Quoted(patterns[i]),
        absl::StrCat(
            "must fit mlp, cnn or torchscript",
            closest.has_value() ? absl::StrCat("; did you mean \"", *closest, "\"?") : ""));
  }
}

void CheckRule(const std::string& path, const PolicyRule& rule, std::set<std::string>* names,
               FieldCheck* check) {
  check->Present(path + "name", !rule.name().empty(), "refusals show it");
  check->Expect(path + "name", IsOneLine(rule.name(), 100), Quoted(rule.name()),
                "must be one line of at most 100 characters");
  check->Expect(path + "name",
                rule.name() != kDefaultDeny && !absl::StartsWith(rule.name(), kLimitsPrefix),
                Quoted(rule.name()), "must not be default-deny or start with limits.");
  CheckUnique(path + "name", rule.name(), names, check);
  check->Present(path + "effect", rule.effect() != PolicyRule::EFFECT_UNSPECIFIED,
                 "it is allow or deny");
  CheckPatterns(path + "submitters", rule.submitters(), check);
  CheckPatterns(path + "purposes", rule.purposes(), check);
  CheckPatterns(path + "datasets", rule.datasets(), check);
  CheckModelKinds(path + "modelKinds", rule.model_kinds(), check);
}

bool FitsAny(const Patterns& patterns, const std::string& text) {
  if (patterns.empty()) return true;
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return MatchesPattern(pattern, text); });
}

bool Matches(const PolicyRule& rule, const PolicyRequest& request) {
  return FitsAny(rule.submitters(), request.submitter) &&
         FitsAny(rule.purposes(), request.purpose) && FitsAny(rule.datasets(), request.dataset) &&
         FitsAny(rule.model_kinds(), request.model_kind);
}

// Names what was asked for, not what the site would permit: that is the site's own affair.
PolicyDecision Refusal(absl::string_view rule, absl::string_view why) {
  const std::string reason = absl::StrCat("the site's policy refuses, by rule ", rule, ": ", why);
  return {.allowed = false,
          .rule = std::string(rule),
          .reason = std::string(ClipUtf8(reason, limits::kReasonBytesMax))};
}

}  // namespace

LocalPolicy::LocalPolicy(config::v1::LocalPolicy policy, std::optional<DailyHours> hours)
    : policy_(std::move(policy)), hours_(hours) {}

absl::StatusOr<LocalPolicy> LocalPolicy::Load(FileSystem& files, const std::string& path) {
  config::v1::LocalPolicy policy;
  YamlPlaces places;
  ENTENTE_RETURN_IF_ERROR(LoadConfig(files, path, &policy, &places));
  FieldCheck check;
  std::set<std::string> names;
  for (int i = 0; i < policy.rules_size(); ++i) {
    CheckRule(absl::StrCat("rules[", i, "]."), policy.rules(i), &names, &check);
  }
  if (policy.limits().has_round_time_max()) {
    const absl::Duration round_time_max = ToDuration(policy.limits().round_time_max());
    check.Expect("limits.roundTimeMax", round_time_max > absl::ZeroDuration(),
                 DurationText(round_time_max), "must be over 0s; leave it out for any time");
  }
  std::optional<DailyHours> hours;
  if (places.Contains("limits.hours")) {
    const auto parsed = DailyHours::Parse(policy.limits().hours());
    check.Expect("limits.hours", parsed.ok(), Quoted(policy.limits().hours()),
                 parsed.status().message());
    if (parsed.ok()) hours = *parsed;
  }
  ENTENTE_RETURN_IF_ERROR(check.ToStatus(path, places));
  return LocalPolicy(std::move(policy), hours);
}

PolicyDecision LocalPolicy::CheckLimits(const PolicyRequest& request, const std::string& rule,
                                        absl::Time now) const {
  const config::v1::PolicyLimits& limits = policy_.limits();
  if (limits.rounds_max() > 0 && request.rounds > limits.rounds_max()) {
    return Refusal("limits.rounds_max",
                   absl::StrCat("the job has ", request.rounds, " rounds; at most ",
                                limits.rounds_max(), " are allowed"));
  }
  if (limits.has_round_time_max() && request.round_deadline > ToDuration(limits.round_time_max())) {
    return Refusal(
        "limits.round_time_max",
        absl::StrCat("a round may take ", DurationText(request.round_deadline), "; at most ",
                     DurationText(ToDuration(limits.round_time_max())), " are allowed"));
  }
  if (limits.update_bytes_max() > 0 && request.update_bytes > limits.update_bytes_max()) {
    return Refusal(
        "limits.update_bytes_max",
        absl::StrCat("an update has ", WithCommas(request.update_bytes), " bytes; at most ",
                     WithCommas(limits.update_bytes_max()), " are allowed"));
  }
  if (request.starts_training && hours_.has_value() && !hours_->Contains(now)) {
    return Refusal("limits.hours",
                   absl::StrCat("training may start at ", limits.hours(), " UTC only; it is ",
                                absl::FormatTime("%H:%M", now, absl::UTCTimeZone())));
  }
  return {.allowed = true, .rule = rule, .reason = ""};
}

PolicyDecision LocalPolicy::Decide(const PolicyRequest& request, absl::Time now) const {
  const PolicyRule* allowing = nullptr;
  for (const PolicyRule& rule : policy_.rules()) {
    if (!Matches(rule, request)) continue;
    if (rule.effect() == PolicyRule::EFFECT_DENY) {
      return Refusal(rule.name(), "it denies jobs like this one");
    }
    if (allowing == nullptr) allowing = &rule;
  }
  if (allowing != nullptr) return CheckLimits(request, allowing->name(), now);
  return Refusal(kDefaultDeny,
                 absl::StrCat("no rule allows a ", Quoted(request.model_kind), " model on ",
                              Quoted(request.dataset), " for the purpose ", Quoted(request.purpose),
                              " by ", Quoted(request.submitter)));
}

absl::Status LocalPolicy::Check(const PolicyRequest& request, absl::Time now) const {
  const PolicyDecision decision = Decide(request, now);
  return decision.allowed ? absl::OkStatus() : absl::PermissionDeniedError(decision.reason);
}

}  // namespace entente
