// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_TIDY_SOURCE_TREE_H_
#define TESTS_TIDY_SOURCE_TREE_H_

#include <string>
#include <vector>

namespace entente::tidy {

struct SourceFile {
  std::string path;  // From the repository's root, e.g. "common/base/clock.h".
  std::vector<std::string> lines;

  bool IsHeader() const { return path.ends_with(".h"); }
  // The paths in its #include lines, with their quotes or brackets.
  std::vector<std::string> Includes() const;
};

// Every .h, .cc and .proto below `folders` of the repository, sorted by path.
std::vector<SourceFile> ReadSources(const std::vector<std::string>& folders);

// The code proper: common, coordinator, worker, trainer, cli.
std::vector<SourceFile> ReadProductSources();

bool Exists(const std::string& path_from_root);

}  // namespace entente::tidy

#endif  // TESTS_TIDY_SOURCE_TREE_H_
