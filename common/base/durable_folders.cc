// SPDX-License-Identifier: Apache-2.0
#include "common/base/durable_folders.h"

#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente {
namespace {

// "" for a bare name and for the root.
std::string ParentOf(const std::string& path) {
  const std::filesystem::path whole(path);
  return whole.has_relative_path() ? whole.parent_path().string() : "";
}

}  // namespace

absl::Status DurableFolders::Create(const std::string& path, const Calls& calls) {
  struct Step {
    std::string folder;
    bool is_missing;
  };
  std::vector<Step> steps;  // From the last folder upwards.
  bool is_below_durable = false;
  for (std::string folder = path; !folder.empty(); folder = ParentOf(folder)) {
    const bool is_missing = !calls.exists(folder);
    if (is_missing) Forget(folder);
    is_below_durable = IsDurable(folder);
    if (is_below_durable) break;
    steps.push_back({.folder = folder, .is_missing = is_missing});
  }
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->is_missing) ENTENTE_RETURN_IF_ERROR(calls.make(step->folder));
    if (!step->is_missing && !is_below_durable && step->folder != path) continue;
    const std::string parent = ParentOf(step->folder);
    ENTENTE_RETURN_IF_ERROR(calls.sync(parent.empty() ? "." : parent));
    absl::MutexLock lock(&mu_);
    durable_.insert(step->folder);
  }
  return absl::OkStatus();
}

void DurableFolders::Forget(const std::string& path) {
  const std::string inside = absl::StrCat(path, "/");
  absl::MutexLock lock(&mu_);
  durable_.erase(path);
  auto it = durable_.lower_bound(inside);
  while (it != durable_.end() && absl::StartsWith(*it, inside)) it = durable_.erase(it);
}

bool DurableFolders::IsDurable(const std::string& path) {
  absl::MutexLock lock(&mu_);
  return durable_.contains(path);
}

}  // namespace entente
