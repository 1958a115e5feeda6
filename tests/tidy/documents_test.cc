// SPDX-License-Identifier: Apache-2.0
// What documents link to is there: files, and headings of documents.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace entente::tidy {
namespace {

std::vector<std::filesystem::path> Documents() {
  std::vector<std::filesystem::path> documents;
  for (const char* folder : {".", "docs", "docs/adr", "bench", "tests/golden"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(ENTENTE_SOURCE_DIR) / folder)) {
      if (entry.path().extension() == ".md") documents.push_back(entry.path());
    }
  }
  return documents;
}

// Its lines, those of code blocks left out.
std::vector<std::string> ProseOf(const std::filesystem::path& document) {
  std::ifstream file(document);
  EXPECT_TRUE(file) << document;
  std::vector<std::string> prose;
  bool is_code = false;
  for (std::string line; std::getline(file, line);) {
    const bool is_fence = absl::StartsWith(line, "```");
    if (is_fence) is_code = !is_code;
    if (!is_fence && !is_code) prose.push_back(line);
  }
  return prose;
}

// "## What a stranger can do" is linked to as "what-a-stranger-can-do".
std::set<std::string> AnchorsOf(const std::filesystem::path& document) {
  std::set<std::string> anchors;
  for (const std::string& line : ProseOf(document)) {
    const size_t begin = line.find_first_not_of('#');
    if (begin == 0 || begin == std::string::npos) continue;
    std::string anchor;
    for (const char c : absl::StripAsciiWhitespace(absl::string_view(line).substr(begin))) {
      if (c == ' ') anchor += '-';
      if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') {
        anchor += absl::ascii_tolower(static_cast<unsigned char>(c));
      }
    }
    anchors.insert(anchor);
  }
  return anchors;
}

std::vector<std::string> LinksOf(const std::filesystem::path& document) {
  static const std::regex* const link = new std::regex("\\]\\(([^)\\s]+)\\)");
  std::vector<std::string> links;
  for (const std::string& line : ProseOf(document)) {
    for (std::sregex_iterator it(line.begin(), line.end(), *link), end; it != end; ++it) {
      links.push_back((*it)[1]);
    }
  }
  return links;
}

TEST(DocumentsTest, LinksLeadSomewhere) {
  size_t link_count = 0;
  for (const std::filesystem::path& document : Documents()) {
    for (const std::string& link : LinksOf(document)) {
      if (absl::StrContains(link, "://")) continue;
      ++link_count;
      const std::pair<std::string, std::string> path_and_anchor =
          absl::StrSplit(link, absl::MaxSplits('#', 1));
      const auto& [path, anchor] = path_and_anchor;
      const std::filesystem::path target = path.empty() ? document : document.parent_path() / path;
      const bool is_there = std::filesystem::exists(target);
      EXPECT_TRUE(is_there) << document << ": " << link;
      if (!is_there || anchor.empty() || target.extension() != ".md") continue;
      EXPECT_TRUE(AnchorsOf(target).contains(anchor)) << document << ": " << link;
    }
  }
  EXPECT_GT(link_count, 100u);
}

TEST(DocumentsTest, ReadmeShowsEveryImage) {
  const std::filesystem::path root = ENTENTE_SOURCE_DIR;
  const std::vector<std::string> links = LinksOf(root / "README.md");
  const std::set<std::string> shown(links.begin(), links.end());
  size_t image_count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root / "docs/images")) {
    ++image_count;
    const std::string image = "docs/images/" + entry.path().filename().string();
    EXPECT_TRUE(shown.contains(image)) << "README.md does not show " << image;
  }
  EXPECT_GT(image_count, 0u);
}

}  // namespace
}  // namespace entente::tidy
