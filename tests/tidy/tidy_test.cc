// SPDX-License-Identifier: Apache-2.0
// What every file must have, and the calls that have one home only.

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/tidy/source_tree.h"

namespace entente::tidy {
namespace {

constexpr size_t kLinesMax = 500;

std::vector<SourceFile> EverySource() {
  return ReadSources(
      {"common", "coordinator", "worker", "trainer", "cli", "sim", "tests", "proto"});
}

TEST(TidyTest, EveryFileBeginsWithItsLicence) {
  for (const SourceFile& file : EverySource()) {
    ASSERT_FALSE(file.lines.empty()) << file.path;
    EXPECT_EQ(file.lines[0], "// SPDX-License-Identifier: Apache-2.0") << file.path;
  }
}

TEST(TidyTest, IncludeGuardsAreThePath) {
  for (const SourceFile& file : EverySource()) {
    if (!file.IsHeader()) continue;
    const std::string guard = absl::StrCat(
        absl::AsciiStrToUpper(absl::StrReplaceAll(file.path, {{"/", "_"}, {".", "_"}})), "_");
    ASSERT_GE(file.lines.size(), 3U) << file.path;
    EXPECT_EQ(file.lines[1], "#ifndef " + guard) << file.path;
  }
}

TEST(TidyTest, FilesStayReadable) {
  for (const SourceFile& file : EverySource()) {
    EXPECT_LE(file.lines.size(), kLinesMax) << file.path << ": which two ideas are in here?";
  }
}

TEST(TidyTest, EverySourceHasItsMirroredTest) {
  for (const SourceFile& file : ReadProductSources()) {
    if (!absl::EndsWith(file.path, ".cc") || absl::EndsWith(file.path, "/main.cc")) continue;
    const std::string test =
        absl::StrCat("tests/unit/", file.path.substr(0, file.path.size() - 3), "_test.cc");
    const bool is_wiring =
        absl::StartsWith(file.path, "coordinator/app/") ||
        absl::StartsWith(file.path, "worker/app/") ||  // tests/integration runs these.
        absl::StartsWith(file.path, "sim/");           // A test itself; its pieces have theirs.
    EXPECT_TRUE(is_wiring || Exists(test)) << file.path << " has no " << test;
  }
}

// A call and the files that may make it.
struct Ban {
  std::regex pattern;
  std::vector<std::string> homes;
};

TEST(TidyTest, CallsWithOneHomeStayThere) {
  const std::vector<Ban> bans = {
      {std::regex(R"(\babsl::Now\()"), {"common/base/clock.cc"}},
      {std::regex(R"(\bstd::random_device\b)"), {}},
      {std::regex(R"(\brand\(\))"), {}},
      {std::regex(R"(\bsleep_for\b)"), {}},
      {std::regex(R"(\babsl::SleepFor\b)"), {}},
      // By the wall's clock.
      {std::regex(R"(\b(Await|Wait|WaitForNotification)With(Timeout|Deadline)\b)"),
       {"common/base/steady_cond_var.h"}},
      {std::regex(R"(\bstd::cout\b)"), {"cli/output.cc", "trainer/protocol/", "trainer/main.cc"}},
      {std::regex(R"(\bgetenv\()"), {"cli/context.cc", "trainer/main.cc"}},
      {std::regex(R"(\bassert\()"), {}},
      {std::regex(R"(\bTODO\b|\bFIXME\b|\bXXX\b)"), {}},
  };
  for (const SourceFile& file : ReadProductSources()) {
    for (size_t i = 0; i < file.lines.size(); ++i) {
      for (const Ban& ban : bans) {
        if (!std::regex_search(file.lines[i], ban.pattern)) continue;
        bool at_home = false;
        for (const std::string& home : ban.homes) at_home |= absl::StartsWith(file.path, home);
        EXPECT_TRUE(at_home) << file.path << ":" << i + 1 << ": " << file.lines[i];
      }
    }
  }
}

TEST(TidyTest, EveryProtoFieldHasAComment) {
  const std::regex field(R"(^\s+(repeated |optional )?[\w.]+(<[^>]+>)? \w+ = \d+;)");
  const std::regex enum_value(R"(^\s+[A-Z][A-Z0-9_]+ = \d+;)");
  for (const SourceFile& file : ReadSources({"proto"})) {
    for (size_t i = 1; i < file.lines.size(); ++i) {
      if (!std::regex_search(file.lines[i], field) &&
          !std::regex_search(file.lines[i], enum_value)) {
        continue;
      }
      EXPECT_TRUE(absl::StartsWith(absl::StripLeadingAsciiWhitespace(file.lines[i - 1]), "//"))
          << file.path << ":" << i + 1 << ": " << file.lines[i];
    }
  }
}

TEST(TidyTest, NamesSayWhatTheyAre) {
  const std::regex vague(R"((manager|helper|util|utils|handler|impl)(_|\.|$))");
  for (const SourceFile& file : ReadProductSources()) {
    EXPECT_FALSE(std::regex_search(file.path.substr(file.path.rfind('/') + 1), vague)) << file.path;
  }
}

}  // namespace
}  // namespace entente::tidy
