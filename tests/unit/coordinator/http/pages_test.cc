// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/pages.h"

#include <gmock/gmock.h>

#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coordinator/http/journal_line.h"

namespace entente::dashboard {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PagesTest, DocumentLoadsOnlyWhatIsHere) {
  const std::string document = DocumentText();
  const std::regex address(R"re((?:src|href)="([^"]+)")re");
  int assets = 0;

  for (std::sregex_iterator it(document.begin(), document.end(), address), end; it != end; ++it) {
    const std::string path = (*it)[1];
    if (absl::StartsWith(path, "/assets/")) {
      EXPECT_NE(FindFile(path.substr(path.rfind('/') + 1)), nullptr) << path;
      EXPECT_THAT(path, HasSubstr(PagesVersion()));
      ++assets;
    } else {
      EXPECT_TRUE(path == "/" || path == "/jobs" || path == "/events" || path == "#main") << path;
    }
  }

  EXPECT_GE(assets, 4);
}

TEST(PagesTest, NothingOfOursMakesMarkupOfTextOrNeedsAnotherServer) {
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.name == "chart.min.js") continue;  // The charting library: it draws on a canvas.
    for (const char* banned : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
                               "eval(", "https://", "style=\"", "onclick=\""}) {
      EXPECT_THAT(std::string(file.content), Not(HasSubstr(banned))) << file.name;
    }
  }
}

TEST(PagesTest, EveryModuleThatIsImportedIsHere) {
  const std::regex import(R"re(from '\./([^']+)')re");
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    const std::string content(file.content);
    for (std::sregex_iterator it(content.begin(), content.end(), import), end; it != end; ++it) {
      EXPECT_NE(FindFile((*it)[1].str()), nullptr) << file.name << " imports " << (*it)[1];
    }
  }
}

TEST(PagesTest, EveryEventOfTheJournalCanBeChosen) {
  const EmbeddedFile* const page = FindFile("page_events.js");
  ASSERT_NE(page, nullptr);

  for (const absl::string_view event : EventNames()) {
    if (event == "unreadable") continue;  // Of a journal that a newer coordinator wrote.
    EXPECT_THAT(std::string(page->content), HasSubstr(absl::StrCat("'", event, "'")));
  }
}

TEST(PagesTest, ChartsAreEmbeddedWhole) {
  const EmbeddedFile* const charts = FindFile("chart.min.js");

  ASSERT_NE(charts, nullptr);
  EXPECT_GT(charts->content.size(), 100'000U);
  EXPECT_THAT(std::string(charts->content), HasSubstr("Chart.js v3"));
}

TEST(PagesTest, TypesFollowTheNames) {
  EXPECT_EQ(ContentTypeOf("dashboard.js"), "text/javascript; charset=utf-8");
  EXPECT_EQ(ContentTypeOf("icon.svg"), "image/svg+xml");
  EXPECT_EQ(ContentTypeOf("odd"), "application/octet-stream");
  EXPECT_EQ(FindFile("../index.html"), nullptr);
}

}  // namespace
}  // namespace entente::dashboard
