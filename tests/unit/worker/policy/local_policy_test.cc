// SPDX-License-Identifier: Apache-2.0
#include "worker/policy/local_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/limits.h"
#include "google/protobuf/duration.pb.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

using ::absl::StatusCode;
using ::testing::HasSubstr;

const absl::Time kNoon = absl::FromCivil(absl::CivilHour(2026, 1, 31, 12), absl::UTCTimeZone());

constexpr char kHeader[] = "apiVersion: entente/v1\nkind: LocalPolicy\n";
constexpr char kAllowAll[] = "rules: [{name: all, effect: allow}]\n";

PolicyRequest Request() {
  return {.submitter = "spiffe://alliance.example/submitter/anna",
          .purpose = "research on clothes",
          .dataset = "fashion-mnist",
          .model_kind = "cnn",
          .rounds = 12,
          .round_deadline = absl::Minutes(10),
          .update_bytes = 1'000'000,
          .starts_training = true};
}

class LocalPolicyTest : public testing::Test {
 protected:
  absl::StatusOr<LocalPolicy> Load(absl::string_view body) {
    return LocalPolicy::Load(files_, folder_.Write("p.yaml", absl::StrCat(kHeader, body)));
  }

  // What the policy decides on `request` at noon; an unreadable policy fails the test.
  PolicyDecision Decide(absl::string_view body, const PolicyRequest& request) {
    const auto policy = Load(body);
    EXPECT_THAT(policy, IsOk());
    return policy.ok() ? policy->Decide(request, kNoon) : PolicyDecision{};
  }

  std::string Mistake(absl::string_view body) {
    const auto policy = Load(body);
    EXPECT_THAT(policy, StatusIs(StatusCode::kInvalidArgument));
    return std::string(policy.status().message()).substr(folder_.File("p.yaml:").size());
  }

  TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(LocalPolicyTest, AnAllowRuleThatMatchesPermits) {
  const PolicyDecision decision = Decide(
      "rules:\n- name: research\n  effect: allow\n"
      "  submitters: [\"spiffe://alliance.example/submitter/*\"]\n"
      "  purposes: [\"test*\", \"research*\"]\n  datasets: [fashion-mnist]\n  modelKinds: [cnn]\n",
      Request());

  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(decision.rule, "research");
  EXPECT_EQ(decision.reason, "");
}

TEST_F(LocalPolicyTest, EachListMustHaveAnEntryThatFits) {
  for (const char* list : {"submitters: [\"spiffe://other.example/*\"]", "purposes: [\"ads*\"]",
                           "datasets: [fashion]", "modelKinds: [mlp]"}) {
    const PolicyDecision decision =
        Decide(absl::StrCat("rules: [{name: some, effect: allow, ", list, "}]\n"), Request());
    EXPECT_FALSE(decision.allowed) << list;
    EXPECT_EQ(decision.rule, "default-deny") << list;
  }
}

TEST_F(LocalPolicyTest, WhatNoRuleMatchesIsRefusedWithWhatWasAsked) {
  const PolicyDecision decision = Decide("", Request());

  EXPECT_FALSE(decision.allowed);
  EXPECT_EQ(decision.reason,
            "the site's policy refuses, by rule default-deny: no rule allows a \"cnn\" model on "
            "\"fashion-mnist\" for the purpose \"research on clothes\" by "
            "\"spiffe://alliance.example/submitter/anna\"");
}

TEST_F(LocalPolicyTest, DenyWinsOverAllowWhereverItStands) {
  const std::string allow = "- {name: all, effect: allow}\n";
  const std::string deny = "- {name: no-cnn, effect: deny, modelKinds: [cnn]}\n";
  for (const std::string& rules : {allow + deny, deny + allow}) {
    const PolicyDecision decision = Decide("rules:\n" + rules, Request());
    EXPECT_FALSE(decision.allowed);
    EXPECT_EQ(decision.rule, "no-cnn");
    EXPECT_EQ(decision.reason,
              "the site's policy refuses, by rule no-cnn: it denies jobs like this one");
  }
}

TEST_F(LocalPolicyTest, ADenyRuleThatDoesNotMatchChangesNothing) {
  EXPECT_TRUE(Decide("rules:\n- {name: all, effect: allow}\n"
                     "- {name: no-mlp, effect: deny, modelKinds: [mlp]}\n",
                     Request())
                  .allowed);
}

TEST_F(LocalPolicyTest, ADenyRuleAloneAllowsNothing) {
  EXPECT_EQ(Decide("rules: [{name: no-mlp, effect: deny, modelKinds: [mlp]}]\n", Request()).rule,
            "default-deny");
}

TEST_F(LocalPolicyTest, LimitsHoldWhateverTheRulesAllow) {
  struct Case {
    const char* limit;
    const char* rule;
    const char* reason;
  };
  const Case cases[] = {
      {"roundsMax: 11", "limits.rounds_max", "the job has 12 rounds; at most 11 are allowed"},
      {"roundTimeMax: 599s", "limits.round_time_max",
       "a round may take 10m; at most 9m59s are allowed"},
      {"updateBytesMax: 999999", "limits.update_bytes_max",
       "an update has 1,000,000 bytes; at most 999,999 are allowed"},
      {"hours: 20:00-06:00", "limits.hours",
       "training may start at 20:00-06:00 UTC only; it is 12:00"},
  };
  for (const Case& c : cases) {
    const PolicyDecision decision =
        Decide(absl::StrCat(kAllowAll, "limits: {", c.limit, "}\n"), Request());
    EXPECT_FALSE(decision.allowed) << c.limit;
    EXPECT_EQ(decision.rule, c.rule);
    EXPECT_EQ(decision.reason,
              absl::StrCat("the site's policy refuses, by rule ", c.rule, ": ", c.reason));
  }
}

TEST_F(LocalPolicyTest, WhatIsJustWithinTheLimitsIsPermitted) {
  EXPECT_TRUE(Decide(absl::StrCat(kAllowAll,
                                  "limits: {roundsMax: 12, roundTimeMax: 10m, "
                                  "updateBytesMax: 1000000, hours: \"12:00-12:01\"}\n"),
                     Request())
                  .allowed);
}

TEST_F(LocalPolicyTest, NoLimitIsNoLimit) {
  PolicyRequest request = Request();
  request.rounds = 100'000;
  request.round_deadline = absl::Hours(24 * 90);
  request.update_bytes = uint64_t{1} << 50;

  EXPECT_TRUE(Decide(absl::StrCat(kAllowAll, "limits: {roundsMax: 0}\n"), request).allowed);
}

TEST_F(LocalPolicyTest, CheckSaysTheSameAsAStatus) {
  ASSERT_OK_AND_ASSIGN(const LocalPolicy strict, Load(""));
  ASSERT_OK_AND_ASSIGN(const LocalPolicy open, Load(kAllowAll));

  EXPECT_THAT(open.Check(Request(), kNoon), IsOk());
  EXPECT_THAT(strict.Check(Request(), kNoon),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("by rule default-deny")));
}

TEST_F(LocalPolicyTest, AReasonHasItsLimitWhateverTheSubmitterWrote) {
  PolicyRequest request = Request();
  request.purpose = std::string(100'000, 'x');
  request.submitter = std::string(100'000, 'y');
  request.dataset = "\x1b[31m";

  const PolicyDecision decision = Decide("", request);

  EXPECT_LE(decision.reason.size(), limits::kReasonBytesMax);
  EXPECT_THAT(decision.reason, testing::Not(HasSubstr("\x1b")));
}

TEST_F(LocalPolicyTest, ARuleNeedsANameOfItsOwnAndAnEffect) {
  EXPECT_EQ(Mistake("rules:\n- effect: allow\n"),
            "4:3: rules[0].name is missing; refusals show it");
  EXPECT_EQ(Mistake("rules:\n- name: a\n"), "4:3: rules[0].effect is missing; it is allow or deny");
  EXPECT_EQ(Mistake("rules:\n- {name: a, effect: allow}\n- {name: a, effect: deny}\n"),
            "5:10: rules[1].name is \"a\", which is there already; each must be unlike any other");
  for (const char* name : {"default-deny", "limits.rounds_max"}) {
    EXPECT_EQ(Mistake(absl::StrCat("rules:\n- {name: ", name, ", effect: deny}\n")),
              absl::StrCat("4:10: rules[0].name is \"", name,
                           "\"; it must not be default-deny or start with limits."));
  }
  EXPECT_EQ(Mistake("rules:\n- {name: a, effect: permit}\n"),
            "4:21: rules[0].effect is \"permit\", which it cannot be; known are allow, deny");
}

TEST_F(LocalPolicyTest, AModelKindThatDoesNotExistIsRefused) {
  EXPECT_EQ(Mistake("rules:\n- {name: a, effect: deny, modelKinds: [torchscrpt]}\n"),
            "4:40: rules[0].modelKinds[0] is \"torchscrpt\"; it must fit mlp, cnn or torchscript; "
            "did you mean \"torchscript\"?");
  EXPECT_THAT(Load("rules:\n- {name: a, effect: deny, modelKinds: [\"torch*\"]}\n"), IsOk());
}

TEST_F(LocalPolicyTest, AnEmptyPatternOrListIsRefused) {
  EXPECT_EQ(Mistake("rules:\n- {name: a, effect: deny, datasets: [\"\"]}\n"),
            "4:38: rules[0].datasets[0] is \"\"; it must have something in it; * stands for "
            "anything");
  EXPECT_EQ(Mistake("rules:\n- {name: a, effect: deny, datasets: []}\n"),
            "4:37: rules[0].datasets is an empty list; leave the key out, or give it an entry");
}

TEST_F(LocalPolicyTest, LimitsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(Mistake("limits: {hours: always}\n"),
            "3:17: limits.hours is \"always\"; it must be two times of the day in UTC, such as "
            "20:00-06:00");
  EXPECT_THAT(Mistake("limits: {hours: \"\"}\n"),
              HasSubstr("limits.hours is \"\"; it must be two"));
  EXPECT_EQ(Mistake("limits: {roundTimeMax: 0s}\n"),
            "3:24: limits.roundTimeMax is 0s; it must be over 0s; leave it out for any time");
}

TEST_F(LocalPolicyTest, AMissingFileIsNamed) {
  EXPECT_THAT(LocalPolicy::Load(files_, folder_.File("none.yaml")),
              StatusIs(StatusCode::kNotFound, HasSubstr("none.yaml")));
}

class SamplePolicyTest : public testing::Test {
 protected:
  PosixFileSystem files_;
  const std::string path_ = absl::StrCat(ENTENTE_SOURCE_DIR, "/configs/policies/research.yaml");
};

TEST_F(SamplePolicyTest, LoadsAsItIsAndDoesWhatItSays) {
  ASSERT_OK_AND_ASSIGN(const LocalPolicy policy, LocalPolicy::Load(files_, path_));

  EXPECT_TRUE(policy.Decide(Request(), kNoon).allowed);
  PolicyRequest commercial = Request();
  commercial.purpose = "research for commercial use";
  EXPECT_EQ(policy.Decide(commercial, kNoon).rule, "nothing-commercial");
  PolicyRequest program = Request();
  program.model_kind = "torchscript";
  EXPECT_EQ(policy.Decide(program, kNoon).rule, "no-programs-of-others");
  PolicyRequest stranger = Request();
  stranger.submitter = "spiffe://alliance.example.evil/submitter/anna";
  EXPECT_EQ(policy.Decide(stranger, kNoon).rule, "default-deny");
}

TEST_F(SamplePolicyTest, ExplainsEveryOption) {
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadTextFile(files_, path_, 1 << 20));
  std::set<std::string> keys;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = line.substr(std::min(line.size(), line.find_first_not_of(" #-")));
    keys.insert(std::string(line.substr(0, line.find(':'))));
  }

  std::vector<const google::protobuf::Descriptor*> types = {config::v1::LocalPolicy::descriptor()};
  while (!types.empty()) {
    const auto* type = types.back();
    types.pop_back();
    if (type == google::protobuf::Duration::descriptor()) continue;
    for (int i = 0; i < type->field_count(); ++i) {
      EXPECT_EQ(keys.count(type->field(i)->json_name()), 1u) << type->field(i)->full_name();
      if (type->field(i)->message_type() != nullptr)
        types.push_back(type->field(i)->message_type());
    }
  }
}

}  // namespace
}  // namespace entente
