// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/examination.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace entente::cli {
namespace {

std::string Printed(const Examination& examination, OutputFormat format) {
  std::ostringstream out;
  std::ostringstream error;
  Output output(&out, &error);
  output.set_format(format);
  examination.Print(output);
  return out.str();
}

TEST(ExaminationTest, OneLineEachWithWhatWasSeenAndTheFix) {
  Examination examination;
  examination.Ok("name", "localhost is known");
  examination.Warn("clock", "7 s behind", "use NTP");
  examination.Fail("port", "nobody\nlistens", "start it");

  EXPECT_EQ(Printed(examination, OutputFormat::kTable),
            "ok    name           localhost is known\n"
            "warn  clock          7 s behind; use NTP\n"
            "FAIL  port           nobody?listens; start it\n");
}

TEST(ExaminationTest, OnlyAFailureIsUnhealthy) {
  Examination examination;
  EXPECT_TRUE(examination.IsHealthy());
  examination.Warn("clock", "7 s behind", "use NTP");
  EXPECT_TRUE(examination.IsHealthy());
  examination.Fail("port", "nobody listens", "");
  EXPECT_FALSE(examination.IsHealthy());
}

TEST(ExaminationTest, MessageOfAnErrorIsTakenApartAtItsFix) {
  Examination examination;

  EXPECT_FALSE(
      examination.Add("port", absl::UnavailableError("refused; is it running; really?"), ""));
  EXPECT_TRUE(examination.Add("name", absl::OkStatus(), "known"));

  EXPECT_EQ(examination.findings()[0].seen, "refused");
  EXPECT_EQ(examination.findings()[0].fix, "is it running; really?");
  EXPECT_EQ(examination.findings()[1].seen, "known");
}

TEST(ExaminationTest, ProgramsGetTheSame) {
  Examination examination;
  examination.Warn("clock", "7 s behind", "use NTP");
  examination.Fail("port", "nobody listens", "start it");

  const auto json = nlohmann::json::parse(Printed(examination, OutputFormat::kJson));

  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["checks"][0]["status"], "warn");
  EXPECT_EQ(json["checks"][0]["ok"], true);
  EXPECT_EQ(json["checks"][1]["status"], "fail");
  EXPECT_EQ(json["checks"][1]["ok"], false);
  EXPECT_EQ(json["checks"][1]["message"], "nobody listens; start it");
  EXPECT_EQ(json["checks"][1]["fix"], "start it");
}

}  // namespace
}  // namespace entente::cli
