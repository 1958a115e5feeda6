// SPDX-License-Identifier: Apache-2.0
#include "tests/tidy/source_tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"

namespace entente::tidy {
namespace {

const std::filesystem::path kRoot = ENTENTE_SOURCE_DIR;

}  // namespace

std::vector<std::string> SourceFile::Includes() const {
  std::vector<std::string> includes;
  for (const std::string& line : lines) {
    const std::string start = "#include ";
    if (!absl::StartsWith(line, start)) continue;
    const std::string rest = line.substr(start.size());
    includes.push_back(rest.substr(0, rest.find_first_of("\">", 1) + 1));
  }
  return includes;
}

std::vector<SourceFile> ReadSources(const std::vector<std::string>& folders) {
  std::vector<SourceFile> sources;
  for (const std::string& folder : folders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc" && extension != ".proto") continue;
      SourceFile file{.path = entry.path().lexically_relative(kRoot).string(), .lines = {}};
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) file.lines.push_back(line);
      sources.push_back(std::move(file));
    }
  }
  std::sort(sources.begin(), sources.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return sources;
}

std::vector<SourceFile> ReadProductSources() {
  return ReadSources({"common", "coordinator", "worker", "trainer", "cli", "sim"});
}

bool Exists(const std::string& path_from_root) {
  return std::filesystem::exists(kRoot / path_from_root);
}

}  // namespace entente::tidy
