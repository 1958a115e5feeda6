// SPDX-License-Identifier: Apache-2.0
#include "common/config/proto_to_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "common/config/proto_time.h"
#include "common/config/yaml_to_proto.h"
#include "entente/config/v1/coordinator.pb.h"
#include "entente/config/v1/local_policy.pb.h"
#include "entente/v1/job.pb.h"
#include "entente/v1/member.pb.h"
#include "entente/v1/recipe.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "google/protobuf/wrappers.pb.h"
#include "tests/support/status_matchers.h"

namespace entente {
namespace {

TEST(ProtoToJsonTest, UsesOurKeysWordsAndTexts) {
  v1::Recipe recipe;
  recipe.set_name("x");
  recipe.set_rounds(3);
  recipe.mutable_training()->set_seed(9'007'199'254'740'993);
  recipe.mutable_training()->set_learning_rate(0.05);
  recipe.mutable_updates()->set_encoding(v1::Updates::ENCODING_BF16);
  *recipe.mutable_pacing()->mutable_deadline() = ToProto(absl::Minutes(90));

  EXPECT_EQ(ProtoToJson(recipe).dump(),
            R"({"name":"x","training":{"learningRate":0.05,"seed":9007199254740993},"rounds":3,)"
            R"("pacing":{"deadline":"1h30m"},"updates":{"encoding":"bf16"}})");
}

TEST(ProtoToJsonTest, LeavesOutWhatIsNotSetButNotPlainNumbers) {
  v1::Metrics metrics;

  EXPECT_EQ(ProtoToJson(metrics).dump(), R"({"examples":0,"loss":0.0})");
}

TEST(ProtoToJsonTest, TimesAreInUtc) {
  v1::Member member;
  *member.add_workers()->mutable_last_seen_at() = ToProto(absl::FromUnixMillis(1'769'860'800'500));

  EXPECT_EQ(ProtoToJson(member)["workers"][0]["lastSeenAt"], "2026-01-31T12:00:00.5Z");
}

TEST(ProtoToJsonTest, WhatJsonCannotHoldIsNull) {
  v1::Metrics metrics;
  metrics.set_loss(std::numeric_limits<double>::quiet_NaN());

  EXPECT_EQ(ProtoToJson(metrics).dump(), R"({"examples":0,"loss":null})");
}

TEST(ProtoToJsonTest, AWordOfANewerVersionStaysANumber) {
  v1::Job job;
  job.set_state(static_cast<v1::JobState>(99));

  EXPECT_EQ(ProtoToJson(job)["state"], 99);
}

TEST(ProtoToJsonTest, FloatsAndBytesHaveTheirOwnForms) {
  google::protobuf::FloatValue fraction;
  fraction.set_value(0.1f);
  google::protobuf::BytesValue bytes;
  bytes.set_value("\x01\x02");

  EXPECT_EQ(ProtoToJson(fraction).dump(), R"({"value":0.1})");
  EXPECT_EQ(ProtoToJson(bytes).dump(), R"({"value":"AQI="})");
}

TEST(ProtoToYamlTest, IsBlockStyleWithListsOfValuesInOneLine) {
  config::v1::CoordinatorConfig config;
  ASSERT_THAT(YamlToProto("listen: 0.0.0.0:7443\nmembers: [{id: fr-lab, jurisdiction: FR}]\n"
                          "drainTime: 90s\n",
                          "c.yaml", &config),
              IsOk());

  EXPECT_EQ(ProtoToYaml(config),
            "listen: \"0.0.0.0:7443\"\n"
            "members:\n"
            "  - id: fr-lab\n"
            "    jurisdiction: FR\n"
            "aggregationThreads: 0\n"
            "reflection: false\n"
            "drainTime: 1m30s\n");
}

TEST(ProtoToYamlTest, QuotesWhatAnotherReaderWouldTakeForSomethingElse) {
  config::v1::LocalPolicy policy;
  for (const char* text : {"plain words", "NO", "null", "12", "1e5", "a: b", "a #b", "*x", "- x",
                           "", "two\nlines", "tail ", "1h30m", "café"}) {
    policy.add_rules()->add_purposes(text);
  }
  const std::string yaml = ProtoToYaml(policy);

  EXPECT_THAT(yaml, testing::HasSubstr("- purposes: [plain words]\n"));
  EXPECT_THAT(yaml, testing::HasSubstr("- purposes: [\"NO\"]\n"));
  EXPECT_THAT(yaml, testing::HasSubstr("- purposes: [\"1e5\"]\n"));
  config::v1::LocalPolicy back;
  ASSERT_THAT(YamlToProto(yaml, "p.yaml", &back), IsOk());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(policy, back)) << yaml;
}

TEST(ProtoToYamlTest, IsReadBackUnchanged) {
  v1::Recipe recipe;
  recipe.set_name("x");
  recipe.set_purpose("why: \"quotes\" & 서울");
  recipe.mutable_model()->mutable_torchscript();
  recipe.mutable_training()->set_learning_rate(0.1 + 0.2);
  recipe.mutable_training()->set_seed(std::numeric_limits<int64_t>::max());
  recipe.mutable_pacing()->mutable_quorum()->set_share(1e-9);
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::Milliseconds(1'500));
  v1::Recipe back;

  const std::string yaml = ProtoToYaml(recipe);

  ASSERT_THAT(YamlToProto(yaml, "r.yaml", &back), IsOk());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(recipe, back)) << yaml;
}

TEST(ProtoToYamlTest, AnEmptyListItemIsAnEmptySection) {
  config::v1::LocalPolicy policy;
  policy.add_rules();

  EXPECT_EQ(ProtoToYaml(policy), "rules:\n  - {}\n");
}

}  // namespace
}  // namespace entente
