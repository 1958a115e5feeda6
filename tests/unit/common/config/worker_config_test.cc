// SPDX-License-Identifier: Apache-2.0
#include "common/config/worker_config.h"

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
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kSmallestWorker[] =
    "apiVersion: entente/v1\n"
    "kind: Worker\n"
    "coordinator: localhost:7443\n"
    "tls: {certificate: a.pem, privateKey: a.pem, authority: a.pem}\n"
    "workDirectory: work\n"
    "datasets:\n"
    "- {name: toy, format: csv, directory: data}\n"
    "policy: policy.yaml\n";

class WorkerConfigTest : public testing::Test {
 protected:
  WorkerConfigTest() {
    folder_.Write("a.pem", "not looked into");
    folder_.Write("policy.yaml", "not looked into");
    folder_.Write("data/train.csv", "not looked into");
  }

  absl::StatusOr<config::v1::WorkerConfig> Load(absl::string_view text) {
    return LoadWorkerConfig(files_, folder_.Write("w.yaml", text));
  }

  // What is wrong with the smallest file once `from` is `to`, or a line is added.
  std::string Mistake(absl::string_view from, absl::string_view to) {
    const auto config = Load(Replaced(kSmallestWorker, from, to));
    EXPECT_THAT(config, StatusIs(StatusCode::kInvalidArgument, StartsWith(folder_.File("w.yaml"))));
    return std::string(config.status().message()).substr(folder_.File("w.yaml:").size());
  }
  std::string MistakeWith(absl::string_view line) {
    return Mistake("coordinator:", absl::StrCat(line, "\ncoordinator:"));
  }

  TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(WorkerConfigTest, TheSmallestFileGetsEveryDefault) {
  ASSERT_OK_AND_ASSIGN(const auto config, Load(kSmallestWorker));

  ASSERT_EQ(config.trainer().command_size(), 1);
  EXPECT_EQ(config.trainer().command(0), "entente-trainer");
  EXPECT_EQ(config.trainer().sandbox(), config::v1::Trainer::SANDBOX_BUBBLEWRAP);
  EXPECT_EQ(config.trainer().device(), config::v1::Trainer::DEVICE_AUTO);
  EXPECT_EQ(config.trainer().threads(), 1u);
  EXPECT_EQ(ToDuration(config.trainer().silence_max()), absl::Seconds(60));
  EXPECT_EQ(config.cache_bytes_max(), uint64_t{20} << 30);
  EXPECT_EQ(ToDuration(config.drain_time()), absl::Seconds(5));
  EXPECT_EQ(config.logging().level(), config::v1::Logging::LEVEL_INFO);
}

TEST_F(WorkerConfigTest, PathsAreMadeAbsoluteAndABareProgramIsNot) {
  folder_.Write("bin/trainer", "x");
  ASSERT_OK_AND_ASSIGN(
      const auto config,
      Load(Replaced(kSmallestWorker, "policy:",
                    "trainer: {command: [bin/trainer, a/b], readOnlyPaths: [data]}\npolicy:")));

  EXPECT_EQ(config.tls().authority(), folder_.File("a.pem"));
  EXPECT_EQ(config.work_directory(), folder_.File("work"));
  EXPECT_EQ(config.datasets(0).directory(), folder_.File("data"));
  EXPECT_EQ(config.policy(), folder_.File("policy.yaml"));
  EXPECT_EQ(config.trainer().command(0), folder_.File("bin/trainer"));
  EXPECT_EQ(config.trainer().command(1), "a/b");
  EXPECT_EQ(config.trainer().read_only_paths(0), folder_.File("data"));
}

TEST_F(WorkerConfigTest, NumbersOutOfRangeAreRefused) {
  EXPECT_EQ(MistakeWith("trainer: {threads: 0}"),
            "3:20: trainer.threads is 0; it must be 1 to 256");
  EXPECT_EQ(MistakeWith("trainer: {threads: 257}"),
            "3:20: trainer.threads is 257; it must be 1 to 256");
  EXPECT_EQ(MistakeWith("trainer: {silenceMax: 999ms}"),
            "3:23: trainer.silenceMax is 999ms; it must be 1s to 1h");
  EXPECT_EQ(MistakeWith("trainer: {silenceMax: 61m}"),
            "3:23: trainer.silenceMax is 1h1m; it must be 1s to 1h");
  EXPECT_EQ(MistakeWith("cacheBytesMax: 0"), "3:16: cacheBytesMax is 0; it must be at least 1 MiB");
  EXPECT_EQ(MistakeWith("cacheBytesMax: 1023 KiB"),
            "3:16: cacheBytesMax is 1,047,552; it must be at least 1 MiB");
  EXPECT_EQ(MistakeWith("drainTime: 601s"), "3:12: drainTime is 10m1s; it must be 0s to 10m");
  EXPECT_EQ(Mistake("localhost:7443", "localhost:0"),
            "3:14: coordinator is \"localhost:0\"; it must be host:port, such as localhost:7443");
}

TEST_F(WorkerConfigTest, BandwidthHasAFloorAndNoLimitByDefault) {
  ASSERT_OK_AND_ASSIGN(const auto config, Load(Replaced(kSmallestWorker, "policy:",
                                                        "bandwidth: {uploadBytesMax: 10 MiB}\n"
                                                        "policy:")));
  EXPECT_EQ(config.bandwidth().upload_bytes_max(), uint64_t{10} << 20);
  EXPECT_EQ(config.bandwidth().download_bytes_max(), 0u);

  EXPECT_EQ(MistakeWith("bandwidth: {downloadBytesMax: 63 KiB}"),
            "3:31: bandwidth.downloadBytesMax is 64,512; it must be 0 (no limit) or at least 64 "
            "KiB a second");
}

TEST_F(WorkerConfigTest, HttpIsOffUnlessConfigured) {
  ASSERT_OK_AND_ASSIGN(const auto off, Load(kSmallestWorker));
  EXPECT_EQ(off.http().listen(), "off");
  ASSERT_OK_AND_ASSIGN(
      const auto config,
      Load(Replaced(kSmallestWorker, "policy:",
                    "http: {listen: 0.0.0.0:7481, tls: {certificate: a.pem, privateKey: a.pem, "
                    "authority: a.pem}}\npolicy:")));
  EXPECT_EQ(config.http().tls().authority(), folder_.File("a.pem"));
  EXPECT_THAT(MistakeWith("http: {tls: {certificate: a.pem, privateKey: a.pem, authority: none}}"),
              HasSubstr("http.tls.authority names"));
}

TEST_F(WorkerConfigTest, WhatIsRequiredMustBeThere) {
  EXPECT_EQ(Mistake("coordinator: localhost:7443\n", ""),
            "1:1: coordinator is missing; give its host:port");
  EXPECT_THAT(Mistake(", authority: a.pem", ""), StartsWith("4:1: tls.authority is missing"));
  EXPECT_THAT(Mistake("workDirectory: work\n", ""), HasSubstr("workDirectory is missing"));
  EXPECT_THAT(Mistake("datasets:\n- {name: toy, format: csv, directory: data}\n", ""),
              HasSubstr("datasets is missing; offer at least one"));
  EXPECT_THAT(Mistake("name: toy, ", ""), StartsWith("7:3: datasets[0].name is missing"));
  EXPECT_THAT(Mistake("format: csv, ", ""),
              HasSubstr("datasets[0].format is missing; it is idx, csv or safetensors"));
  EXPECT_THAT(Mistake(", directory: data", ""), HasSubstr("datasets[0].directory is missing"));
  EXPECT_THAT(Mistake("policy: policy.yaml\n", ""), HasSubstr("policy is missing"));
}

TEST_F(WorkerConfigTest, DataMustBeThere) {
  EXPECT_EQ(Mistake("directory: data", "directory: none"),
            "7:39: datasets[0].directory names " + folder_.File("none") +
                ", which is not there; it must be the folder of the data set's files");
  ASSERT_THAT(files_.CreateFolder(folder_.File("empty")), IsOk());
  EXPECT_EQ(Mistake("directory: data", "directory: empty"),
            "7:39: datasets[0].directory names " + folder_.File("empty") +
                ", which has no files in it; it must be the folder of the data set's files");
}

TEST_F(WorkerConfigTest, DatasetsMustHaveNamesOfTheirOwn) {
  EXPECT_EQ(Mistake("- {name", "- {name: toy, format: idx, directory: data}\n- {name"),
            "8:10: datasets[1].name is \"toy\", which is there already; each must be unlike any "
            "other");
  EXPECT_THAT(Mistake("name: toy", "name: ../toy"),
              HasSubstr("datasets[0].name is \"../toy\"; it must be 1 to 63 characters"));
}

TEST_F(WorkerConfigTest, ThePolicyMustBeThere) {
  EXPECT_EQ(Mistake("policy: policy.yaml", "policy: none.yaml"),
            "8:9: policy names " + folder_.File("none.yaml") +
                ", which is not there; it must be the file with this site's local policy");
}

TEST_F(WorkerConfigTest, TheTrainersPathsMustMakeSense) {
  EXPECT_EQ(MistakeWith("trainer: {command: [\"\"]}"),
            "3:21: trainer.command[0] is missing; name the trainer's program");
  EXPECT_THAT(MistakeWith("trainer: {command: [bin/none]}"),
              StartsWith("3:21: trainer.command[0] names " + folder_.File("bin/none")));
  EXPECT_THAT(MistakeWith("trainer: {readOnlyPaths: [none]}"),
              HasSubstr("trainer.readOnlyPaths[0] names " + folder_.File("none")));
  EXPECT_EQ(MistakeWith("trainer: {devices: [/etc]}"),
            "3:21: trainer.devices[0] is \"/etc\"; it must be a device, such as /dev/nvidia0");
  EXPECT_THAT(MistakeWith("trainer: {devices: [/dev/../etc]}"), HasSubstr("must be a device"));
  EXPECT_EQ(MistakeWith("trainer: {sandbox: bubblewarp}"),
            "3:20: trainer.sandbox is \"bubblewarp\", which it cannot be; did you mean "
            "\"bubblewrap\"?");
}

TEST_F(WorkerConfigTest, TheSampleLoadsAsItIs) {
  for (const char* name :
       {"certificates/worker.crt", "certificates/worker.key", "certificates/alliance-authority.crt",
        "policies/research.yaml", "data/fashion-mnist/train-images-idx3-ubyte.gz"}) {
    folder_.Write(name, "not looked into");
  }

  ASSERT_OK_AND_ASSIGN(const auto config, Load(SampleText("worker.yaml")));

  EXPECT_EQ(config.datasets(0).name(), "fashion-mnist");
}

TEST_F(WorkerConfigTest, TheSampleShowsTheDefaults) {
  config::v1::WorkerConfig sample;
  ASSERT_THAT(YamlToProto(SampleText("worker.yaml"), "worker.yaml", &sample), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto defaults, Load(kSmallestWorker));

  EXPECT_EQ(sample.trainer().SerializeAsString(), defaults.trainer().SerializeAsString());
  EXPECT_EQ(sample.cache_bytes_max(), defaults.cache_bytes_max());
  EXPECT_EQ(sample.drain_time().seconds(), defaults.drain_time().seconds());
  EXPECT_EQ(sample.logging().level(), defaults.logging().level());
}

TEST_F(WorkerConfigTest, TheSampleExplainsEveryOption) {
  EXPECT_THAT(UnexplainedKeys(*config::v1::WorkerConfig::descriptor(), SampleText("worker.yaml")),
              IsEmpty());
}

}  // namespace
}  // namespace entente
