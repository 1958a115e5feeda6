// SPDX-License-Identifier: Apache-2.0
#include "common/config/coordinator_config.h"

#include <gtest/gtest.h>

#include <string>

#include "common/config/proto_time.h"
#include "common/config/yaml_to_proto.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/common/config/sample_config.h"

namespace entente {
namespace {

using ::absl::StatusCode;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kSmallest[] =
    "apiVersion: entente/v1\n"
    "kind: Coordinator\n"
    "dataDirectory: data\n"
    "tls: {certificate: a.pem, privateKey: a.pem}\n"
    "alliance: {trustDomain: alliance.example, authority: a.pem}\n"
    "members:\n"
    "- {id: fr-lab, jurisdiction: FR, trustDomain: fr-lab.example, authority: a.pem}\n"
    "- {id: kr-lab, jurisdiction: KR, trustDomain: kr-lab.example, authority: a.pem}\n";

class CoordinatorConfigTest : public testing::Test {
 protected:
  CoordinatorConfigTest() { folder_.Write("a.pem", "not looked into"); }

  absl::StatusOr<config::v1::CoordinatorConfig> Load(absl::string_view text) {
    return LoadCoordinatorConfig(files_, folder_.Write("c.yaml", text));
  }

  // What is wrong with the smallest file once `from` is `to`, or `to` is added.
  std::string Mistake(absl::string_view from, absl::string_view to) {
    const auto config = Load(Replaced(kSmallest, from, to));
    EXPECT_THAT(config, StatusIs(StatusCode::kInvalidArgument, StartsWith(folder_.File("c.yaml"))));
    return std::string(config.status().message()).substr(folder_.File("c.yaml:").size());
  }
  std::string MistakeWith(absl::string_view line) {
    return Mistake("dataDirectory", absl::StrCat(line, "\ndataDirectory"));
  }

  TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(CoordinatorConfigTest, TheSmallestFileGetsEveryDefault) {
  ASSERT_OK_AND_ASSIGN(const auto config, Load(kSmallest));

  EXPECT_EQ(config.listen(), "0.0.0.0:7443");
  EXPECT_EQ(config.port_file(), "");
  EXPECT_EQ(config.members(0).display_name(), "fr-lab");
  EXPECT_EQ(ToDuration(config.heartbeat_interval()), absl::Seconds(5));
  EXPECT_EQ(config.aggregation_threads(), 0u);
  EXPECT_EQ(config.limits().running_jobs_max(), 64u);
  EXPECT_EQ(config.limits().blob_bytes_max(), uint64_t{64} << 30);
  EXPECT_EQ(config.limits().workers_max(), 1'000u);
  EXPECT_EQ(config.limits().free_bytes_min(), uint64_t{256} << 20);
  EXPECT_EQ(config.limits().spool_bytes_max(), 0u);
  EXPECT_EQ(config.limits().transfers_max(), 256u);
  EXPECT_EQ(config.limits().transfers_per_caller_max(), 16u);
  EXPECT_EQ(config.limits().transfer_window_bytes_max(), 4u << 20);
  EXPECT_EQ(ToDuration(config.limits().transfer_idle_max()), absl::Minutes(1));
  EXPECT_FALSE(config.reflection());
  EXPECT_EQ(ToDuration(config.drain_time()), absl::Seconds(10));
  EXPECT_EQ(config.http().listen(), kDefaultHttpListen);
  EXPECT_FALSE(config.http().has_tls());
  EXPECT_EQ(config.logging().level(), config::v1::Logging::LEVEL_INFO);
}

TEST_F(CoordinatorConfigTest, HttpIsOffOrAnAddressAndItsFilesAreThere) {
  ASSERT_OK_AND_ASSIGN(const auto off, Load(Replaced(kSmallest, "dataDirectory",
                                                     "http: {listen: off}\ndataDirectory")));
  EXPECT_EQ(off.http().listen(), "off");
  ASSERT_OK_AND_ASSIGN(
      const auto config,
      Load(Replaced(kSmallest, "dataDirectory",
                    "http: {listen: \"[::1]:0\", tokenFile: a.pem, portFile: p,\n"
                    "  tls: {certificate: a.pem, privateKey: a.pem}}\ndataDirectory")));
  EXPECT_EQ(config.http().token_file(), folder_.File("a.pem"));
  EXPECT_EQ(config.http().port_file(), folder_.File("p"));
  EXPECT_EQ(config.http().tls().certificate(), folder_.File("a.pem"));

  EXPECT_EQ(MistakeWith("http: {listen: on}"),
            "3:16: http.listen is \"on\"; it must be host:port, such as 127.0.0.1:7480, or off");
  EXPECT_THAT(MistakeWith("http: {tokenFile: none}"), HasSubstr("http.tokenFile names"));
  EXPECT_THAT(MistakeWith("http: {tls: {certificate: a.pem}}"),
              HasSubstr("http.tls.privateKey is missing"));
  EXPECT_THAT(MistakeWith("http: {tls: {certificate: a.pem, privateKey: a.pem, authority: a.pem}}"),
              HasSubstr("http.tls.authority is not used here"));
}

TEST_F(CoordinatorConfigTest, PathsAreMadeAbsolute) {
  ASSERT_OK_AND_ASSIGN(const auto config,
                       Load(Replaced(kSmallest, "dataDirectory", "portFile: port\ndataDirectory")));

  EXPECT_EQ(config.data_directory(), folder_.File("data"));
  EXPECT_EQ(config.port_file(), folder_.File("port"));
  EXPECT_EQ(config.tls().certificate(), folder_.File("a.pem"));
  EXPECT_EQ(config.tls().private_key(), folder_.File("a.pem"));
  EXPECT_EQ(config.alliance().authority(), folder_.File("a.pem"));
  EXPECT_EQ(config.members(1).authority(), folder_.File("a.pem"));
}

TEST_F(CoordinatorConfigTest, AZeroThatWasWrittenIsNoDefault) {
  ASSERT_OK_AND_ASSIGN(
      const auto config,
      Load(Replaced(kSmallest, "dataDirectory", "limits: {freeBytesMin: 0}\ndataDirectory")));
  EXPECT_EQ(config.limits().free_bytes_min(), 0u);

  EXPECT_EQ(MistakeWith("limits: {workersMax: 0}"),
            "3:22: limits.workersMax is 0; it must be 1 to 100,000");
  EXPECT_EQ(MistakeWith("limits: {runningJobsMax: 0}"),
            "3:26: limits.runningJobsMax is 0; it must be 1 to 10,000");
  EXPECT_EQ(MistakeWith("limits: {blobBytesMax: 0}"),
            "3:24: limits.blobBytesMax is 0; it must be 1 to 1,125,899,906,842,624");
}

TEST_F(CoordinatorConfigTest, NumbersOutOfRangeAreRefused) {
  EXPECT_EQ(MistakeWith("heartbeatInterval: 99ms"),
            "3:20: heartbeatInterval is 99ms; it must be 100ms to 5m");
  EXPECT_EQ(MistakeWith("heartbeatInterval: 301s"),
            "3:20: heartbeatInterval is 5m1s; it must be 100ms to 5m");
  EXPECT_EQ(MistakeWith("aggregationThreads: 257"),
            "3:21: aggregationThreads is 257; it must be 0 to 256");
  EXPECT_EQ(MistakeWith("drainTime: 11m"), "3:12: drainTime is 11m; it must be 0s to 10m");
  EXPECT_EQ(MistakeWith("limits: {runningJobsMax: 10001}"),
            "3:26: limits.runningJobsMax is 10,001; it must be 1 to 10,000");
  EXPECT_EQ(MistakeWith("limits: {workersMax: 100001}"),
            "3:22: limits.workersMax is 100,001; it must be 1 to 100,000");
  EXPECT_EQ(MistakeWith("limits: {blobBytesMax: 1025 TiB}"),
            "3:24: limits.blobBytesMax is 1,126,999,418,470,400; it must be 1 to "
            "1,125,899,906,842,624");
  EXPECT_EQ(MistakeWith("listen: everywhere"),
            "3:9: listen is \"everywhere\"; it must be host:port, such as localhost:7443");
}

TEST_F(CoordinatorConfigTest, TransfersHaveBoundsOfTheirOwn) {
  ASSERT_OK_AND_ASSIGN(const auto config,
                       Load(Replaced(kSmallest, "dataDirectory",
                                     "limits: {spoolBytesMax: 2 TiB, transferIdleMax: 90s}\n"
                                     "dataDirectory")));
  EXPECT_EQ(config.limits().spool_bytes_max(), uint64_t{2} << 40);
  EXPECT_EQ(ToDuration(config.limits().transfer_idle_max()), absl::Seconds(90));

  EXPECT_EQ(MistakeWith("limits: {transferWindowBytesMax: 1}"),
            "3:34: limits.transferWindowBytesMax is 1; it must be 65,536 to 67,108,864");
  EXPECT_EQ(MistakeWith("limits: {transfersMax: 0}"),
            "3:24: limits.transfersMax is 0; it must be 1 to 10,000");
  EXPECT_EQ(MistakeWith("limits: {transfersPerCallerMax: 0}"),
            "3:33: limits.transfersPerCallerMax is 0; it must be 1 to 10,000");
  EXPECT_EQ(MistakeWith("limits: {transferIdleMax: 999ms}"),
            "3:27: limits.transferIdleMax is 999ms; it must be 1s to 1h");
}

TEST_F(CoordinatorConfigTest, WhatIsRequiredMustBeThere) {
  EXPECT_THAT(Mistake("dataDirectory: data\n", ""), HasSubstr("dataDirectory is missing"));
  EXPECT_THAT(Mistake("tls: {certificate: a.pem, privateKey: a.pem}\n", ""),
              HasSubstr("tls is missing"));
  EXPECT_EQ(Mistake(", privateKey: a.pem", ""),
            "4:1: tls.privateKey is missing; name the PEM file of its private key");
  EXPECT_THAT(Mistake("alliance: {trustDomain: alliance.example, authority: a.pem}\n", ""),
              HasSubstr("alliance is missing"));
  EXPECT_THAT(Mistake("trustDomain: alliance.example, ", ""),
              HasSubstr("alliance.trustDomain is missing"));
  EXPECT_THAT(Mistake("id: kr-lab, ", ""), StartsWith("8:3: members[1].id is missing"));
  EXPECT_THAT(Mistake("jurisdiction: KR, ", ""), HasSubstr("members[1].jurisdiction is missing"));
  EXPECT_THAT(Mistake("trustDomain: kr-lab.example, ", ""),
              HasSubstr("members[1].trustDomain is missing"));
  EXPECT_THAT(Mistake("kr-lab.example, authority: a.pem", "kr-lab.example"),
              HasSubstr("members[1].authority is missing"));
}

TEST_F(CoordinatorConfigTest, ThereMustBeAMember) {
  const std::string text(kSmallest);

  EXPECT_THAT(Load(text.substr(0, text.find("members:"))),
              StatusIs(StatusCode::kInvalidArgument,
                       EndsWith(":1:1: members is missing; name at least one member")));
}

TEST_F(CoordinatorConfigTest, MembersMustBeUnlikeEachOther) {
  EXPECT_EQ(Mistake("id: kr-lab", "id: fr-lab"),
            "8:8: members[1].id is \"fr-lab\", which is there already; each must be unlike any "
            "other");
  EXPECT_EQ(Mistake("trustDomain: kr-lab.example", "trustDomain: fr-lab.example"),
            "8:47: members[1].trustDomain is \"fr-lab.example\", which is there already; each must "
            "be unlike any other");
  EXPECT_THAT(Mistake("trustDomain: kr-lab.example", "trustDomain: alliance.example"),
              HasSubstr("members[1].trustDomain is \"alliance.example\", which is there already"));
}

TEST_F(CoordinatorConfigTest, MembersNamesMustFollowTheRules) {
  EXPECT_THAT(Mistake("id: kr-lab", "id: KR Lab"),
              HasSubstr("members[1].id is \"KR Lab\"; it must be 1 to 40 characters"));
  EXPECT_THAT(Mistake("jurisdiction: KR", "jurisdiction: UK"),
              HasSubstr("members[1].jurisdiction is \"UK\"; it must be a country's two capital"));
  EXPECT_THAT(Mistake("trustDomain: kr-lab.example", "trustDomain: KR.example"),
              HasSubstr("members[1].trustDomain is \"KR.example\"; it must be 1 to 253"));
  EXPECT_THAT(Mistake("id: kr-lab", "id: kr-lab, displayName: \"a\\nb\""),
              HasSubstr("members[1].displayName is \"a\\nb\"; it must be one line"));
}

TEST_F(CoordinatorConfigTest, FilesMustBeThere) {
  EXPECT_EQ(Mistake("privateKey: a.pem", "privateKey: b.pem"),
            "4:39: tls.privateKey names " + folder_.File("b.pem") +
                ", which is not there; it must be the PEM file of its private key");
  EXPECT_THAT(Mistake("kr-lab.example, authority: a.pem", "kr-lab.example, authority: b.pem"),
              HasSubstr("members[1].authority names " + folder_.File("b.pem")));
  EXPECT_THAT(Mistake("privateKey: a.pem", "privateKey: a.pem, authority: a.pem"),
              StartsWith("4:57: tls.authority is not used here"));
}

TEST_F(CoordinatorConfigTest, AMissingConfigurationFileIsNotFound) {
  EXPECT_THAT(LoadCoordinatorConfig(files_, folder_.File("none.yaml")),
              StatusIs(StatusCode::kNotFound));
}

TEST_F(CoordinatorConfigTest, TheSampleLoadsAsItIs) {
  for (const char* name : {"coordinator.crt", "coordinator.key", "alliance-authority.crt",
                           "kr-lab-authority.crt", "fr-lab-authority.crt", "in-lab-authority.crt",
                           "br-lab-authority.crt", "ca-lab-authority.crt"}) {
    folder_.Write(absl::StrCat("certificates/", name), "not looked into");
  }

  ASSERT_OK_AND_ASSIGN(const auto config, Load(SampleText("coordinator.yaml")));

  EXPECT_EQ(config.members_size(), 5);
}

TEST_F(CoordinatorConfigTest, TheSampleShowsTheDefaults) {
  config::v1::CoordinatorConfig sample;
  ASSERT_THAT(YamlToProto(SampleText("coordinator.yaml"), "coordinator.yaml", &sample), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto defaults, Load(kSmallest));

  EXPECT_EQ(sample.listen(), defaults.listen());
  EXPECT_EQ(sample.limits().SerializeAsString(), defaults.limits().SerializeAsString());
  EXPECT_EQ(sample.logging().level(), defaults.logging().level());
  EXPECT_EQ(ToDuration(sample.drain_time()), ToDuration(defaults.drain_time()));
  EXPECT_EQ(ToDuration(sample.heartbeat_interval()), ToDuration(defaults.heartbeat_interval()));
  EXPECT_EQ(sample.aggregation_threads(), defaults.aggregation_threads());
}

TEST_F(CoordinatorConfigTest, TheSampleExplainsEveryOption) {
  EXPECT_THAT(
      UnexplainedKeys(*config::v1::CoordinatorConfig::descriptor(), SampleText("coordinator.yaml")),
      IsEmpty());
}

}  // namespace
}  // namespace entente
