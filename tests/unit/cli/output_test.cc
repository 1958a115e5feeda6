// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "entente/v1/job_service.pb.h"
#include "tests/support/status_matchers.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

class OutputTest : public ::testing::Test {
 protected:
  std::ostringstream out_;
  std::ostringstream error_;
  Output output_{&out_, &error_};
};

TEST_F(OutputTest, PeopleGetTheText) {
  v1::Job job;
  job.set_id("a-1");

  output_.Print(job, "job a-1\n");

  EXPECT_EQ(out_.str(), "job a-1\n");
}

TEST_F(OutputTest, JsonIsTheMessageAlone) {
  v1::Job job;
  job.set_id("a-1");
  job.set_state(v1::JOB_STATE_RUNNING);
  output_.set_format(OutputFormat::kJson);

  output_.Note("a note");
  output_.Print(job, "text");

  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["id"], "a-1");
  EXPECT_EQ(json["state"], "running");
  EXPECT_EQ(error_.str(), "");
}

TEST_F(OutputTest, StreamOfJsonIsOneObjectALine) {
  v1::Job job;
  job.set_id("a-1");
  output_.set_format(OutputFormat::kJson);

  output_.PrintNext(job, "");
  output_.PrintNext(job, "");

  const std::string text = out_.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(nlohmann::json::parse(text.substr(0, text.find('\n')))["id"], "a-1");
}

TEST_F(OutputTest, EmptyListStaysInTheJson) {
  EXPECT_EQ(JsonWithList(v1::ListJobsResponse(), "jobs").dump(), R"({"jobs":[]})");
}

TEST_F(OutputTest, YamlQuotesWhatYamlWouldMisread) {
  const nlohmann::ordered_json json = {{"plain", "abc"},
                                       {"number", 3},
                                       {"text", "no"},
                                       {"list", {1, "x y"}},
                                       {"none", nlohmann::ordered_json::array()}};

  EXPECT_EQ(JsonToYaml(json),
            "plain: abc\n"
            "number: 3\n"
            "text: \"no\"\n"
            "list:\n"
            "  - 1\n"
            "  - \"x y\"\n"
            "none: []\n");
}

TEST_F(OutputTest, YamlOfListsOfObjectsNests) {
  nlohmann::ordered_json job;
  job["id"] = "a";
  job["rounds"] = 2;
  nlohmann::ordered_json json;
  json["jobs"].push_back(job);

  EXPECT_EQ(JsonToYaml(json),
            "jobs:\n"
            "  -\n"
            "    id: a\n"
            "    rounds: 2\n");
}

TEST_F(OutputTest, ErrorIsOneSentenceForPeople) {
  output_.Error(absl::NotFoundError("there is no job\x1b[2J x"), ExitCode::kNotFound);

  EXPECT_EQ(error_.str(), "entente: there is no job?[2J x\n");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(OutputTest, ErrorIsAnObjectForPrograms) {
  output_.set_format(OutputFormat::kJson);

  output_.Error(absl::NotFoundError("there is no job x"), ExitCode::kNotFound);

  const auto json = nlohmann::json::parse(error_.str());
  EXPECT_EQ(json["error"]["code"], "NOT_FOUND");
  EXPECT_EQ(json["error"]["message"], "there is no job x");
  EXPECT_EQ(json["error"]["exitCode"], 3);
}

TEST_F(OutputTest, ProgressIsForTerminalsOnly) {
  output_.Progress("uploading", 1, 2);
  EXPECT_EQ(error_.str(), "");

  output_.set_error_is_terminal(true);
  output_.Progress("uploading", 1024, 2048);
  EXPECT_THAT(error_.str(), HasSubstr("uploading: 50 %, 1.0 KiB of 2.0 KiB"));
  output_.FinishProgress();
  EXPECT_THAT(error_.str(), ::testing::EndsWith("\r\x1b[K"));
}

TEST_F(OutputTest, UnknownFormatIsRefusedWithTheNearest) {
  EXPECT_THAT(ParseOutputFormat("jsn"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("did you mean \"json\"?")));
  EXPECT_THAT(ParseOutputFormat("wide"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("table, json or yaml")));
}

}  // namespace
}  // namespace entente::cli
