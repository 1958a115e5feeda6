// SPDX-License-Identifier: Apache-2.0
// docs/architecture.md, "Who may include whom", as a test.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/tidy/source_tree.h"

namespace entente::tidy {
namespace {

// The level of each folder. A file may include its own folder, folders of a lower level, and its
// own level where kSameLevel allows.
const std::map<std::string, int>& Levels() {
  static const auto* const levels = new std::map<std::string, int>{
      {"common/base", 0},
      {"common/crypto", 0},
      {"common/tensor", 0},
      {"common/transfer", 0},
      {"common/codec", 0},
      {"common/config", 0},
      {"common/recipe", 0},
      {"common/identity", 0},
      {"common/rpc", 0},
      {"common/http", 0},
      {"common/metrics", 0},
      {"coordinator/jobs", 1},
      {"coordinator/rounds", 1},
      {"coordinator/aggregation", 1},
      {"coordinator/optimizer", 1},
      {"coordinator/updates", 1},
      {"coordinator/models", 1},
      {"coordinator/store", 1},
      {"coordinator/members", 1},
      {"coordinator/inventory", 2},
      {"coordinator/engine", 2},
      {"coordinator/metrics", 3},
      {"coordinator/service", 3},
      {"coordinator/http", 3},
      {"coordinator/notify", 3},
      {"coordinator/app", 4},
      {"coordinator", 5},
      {"worker/policy", 1},
      {"worker/cache", 1},
      {"worker/trainer_host", 2},
      {"worker/session", 3},
      {"worker/metrics", 3},
      {"worker/app", 4},
      {"worker", 5},
      {"cli", 5},
      {"cli/commands", 5},
      {"cli/screen", 4},
      {"cli/doctor", 5},
      {"cli/top", 5},
      {"trainer", 5},
      {"sim", 5},
  };
  return *levels;
}

// "coordinator/rounds" of "coordinator/rounds/round_machine.h"; trainer/ counts as one.
std::string FolderOf(const std::string& path) {
  if (absl::StartsWith(path, "trainer/")) return "trainer";
  return path.substr(0, path.rfind('/'));
}

std::string TopOf(const std::string& path) { return path.substr(0, path.find('/')); }

// A quoted include without its quotes; empty for <...> and for generated code.
std::string OwnInclude(const std::string& include) {
  if (include.front() != '"') return "";
  const std::string path = include.substr(1, include.size() - 2);
  const bool ours = absl::StartsWith(path, "common/") || absl::StartsWith(path, "coordinator/") ||
                    absl::StartsWith(path, "worker/") || absl::StartsWith(path, "trainer/") ||
                    absl::StartsWith(path, "cli/") || absl::StartsWith(path, "sim/") ||
                    absl::StartsWith(path, "tests/");
  return ours ? path : "";
}

TEST(IncludeArrowsTest, EveryFolderHasALevel) {
  for (const SourceFile& file : ReadProductSources()) {
    EXPECT_TRUE(Levels().contains(FolderOf(file.path))) << file.path;
  }
}

TEST(IncludeArrowsTest, IncludesPointDownward) {
  for (const SourceFile& file : ReadProductSources()) {
    const std::string from = FolderOf(file.path);
    for (const std::string& include : file.Includes()) {
      const std::string path = OwnInclude(include);
      if (path.empty()) continue;
      const std::string to = FolderOf(path);
      ASSERT_TRUE(Levels().contains(to)) << file.path << " includes " << path;
      EXPECT_GE(Levels().at(from), Levels().at(to)) << file.path << " includes upward " << path;
    }
  }
}

TEST(IncludeArrowsTest, ProgramsNeverIncludeEachOther) {
  for (const SourceFile& file : ReadProductSources()) {
    if (TopOf(file.path) == "sim") continue;  // It holds both, and nobody includes it.
    for (const std::string& include : file.Includes()) {
      const std::string path = OwnInclude(include);
      if (path.empty() || TopOf(path) == "common") continue;
      EXPECT_EQ(TopOf(path), TopOf(file.path)) << file.path << " includes " << path;
    }
  }
}

TEST(IncludeArrowsTest, TheTrainerNeedsThreeFoldersOfCommonAndNoWire) {
  for (const SourceFile& file : ReadProductSources()) {
    if (TopOf(file.path) != "trainer") continue;
    for (const std::string& include : file.Includes()) {
      const std::string path = OwnInclude(include);
      EXPECT_FALSE(absl::StartsWith(include, "\"entente/")) << file.path << " includes " << include;
      if (TopOf(path) != "common") continue;
      EXPECT_TRUE(FolderOf(path) == "common/base" || FolderOf(path) == "common/crypto" ||
                  FolderOf(path) == "common/tensor")
          << file.path << " includes " << path;
    }
  }
}

// A library and the only places that may include it.
struct Wall {
  std::vector<std::string> include_starts;
  std::vector<std::string> allowed_paths;
};

TEST(IncludeArrowsTest, EveryLibraryStaysBehindItsWall) {
  const std::vector<Wall> walls = {
      {{"<grpcpp/", "<grpc/"},
       {"common/rpc/", "coordinator/service/", "coordinator/app/", "worker/session/", "cli/"}},
      {{"<torch/", "<ATen/", "<c10/"}, {"trainer/"}},
      {{"<sqlite3.h"}, {"coordinator/store/"}},
      {{"<openssl/"}, {"common/crypto/", "common/rpc/", "common/identity/", "common/http/"}},
      {{"<httplib.h"}, {"common/http/message_exchange.", "common/http/post_client."}},
      {{"<prometheus/"}, {"common/metrics/metric_registry."}},
      {{"<yaml-cpp/"}, {"common/config/", "trainer/"}},
      {{"<ncurses.h", "<curses.h", "<term.h", "<termcap.h"}, {"cli/screen/"}},
      {{"<spdlog/"}, {"common/base/log."}},
      {{"<zlib.h"}, {"trainer/data/"}},
      {{"<zstd"}, {"common/transfer/chunk_compression."}},
      {{"\"hwy/", "<hwy/"},
       {"common/codec/simd_kernels.", "coordinator/aggregation/mean_kernels."}},
  };
  for (const SourceFile& file : ReadProductSources()) {
    for (const std::string& include : file.Includes()) {
      for (const Wall& wall : walls) {
        const auto starts_with = [](const std::string& text) {
          return [&text](const std::string& start) { return absl::StartsWith(text, start); };
        };
        if (std::none_of(wall.include_starts.begin(), wall.include_starts.end(),
                         starts_with(include))) {
          continue;
        }
        EXPECT_TRUE(std::any_of(wall.allowed_paths.begin(), wall.allowed_paths.end(),
                                starts_with(file.path)))
            << file.path << " includes " << include;
      }
    }
  }
}

TEST(IncludeArrowsTest, DomainFoldersIncludeNoGeneratedCode) {
  const std::vector<std::string> domain = {"coordinator/rounds/",    "coordinator/aggregation/",
                                           "coordinator/optimizer/", "common/tensor/",
                                           "common/base/",           "common/crypto/"};
  for (const SourceFile& file : ReadProductSources()) {
    for (const std::string& folder : domain) {
      if (!absl::StartsWith(file.path, folder)) continue;
      for (const std::string& include : file.Includes()) {
        EXPECT_FALSE(absl::StrContains(include, ".pb.h")) << file.path << " includes " << include;
      }
    }
  }
}

}  // namespace
}  // namespace entente::tidy
