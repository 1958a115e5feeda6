// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/worker_checks.h"

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/child_process.h"
#include "cli/text_layout.h"

namespace entente::cli {
namespace {

using config::v1::Dataset;

// One file of a data set, under any of these names.
using FileNames = std::vector<std::string>;

std::vector<FileNames> FilesOf(Dataset::Format format, const std::string& part) {
  switch (format) {
    case Dataset::FORMAT_IDX:
      return {
          {absl::StrCat(part, "-images-idx3-ubyte"), absl::StrCat(part, "-images-idx3-ubyte.gz")},
          {absl::StrCat(part, "-labels-idx1-ubyte"), absl::StrCat(part, "-labels-idx1-ubyte.gz")}};
    case Dataset::FORMAT_CSV:
      return {{absl::StrCat(part, ".csv")}};
    case Dataset::FORMAT_SAFETENSORS:
      return {{absl::StrCat(part, ".safetensors")}};
    default:
      return {};
  }
}

// What is wrong with the files of one part ("train"), in half a sentence; empty if nothing is. Adds
// up their sizes.
std::string Fault(FileSystem& files, const Dataset& dataset, const std::string& part,
                  uint64_t* total_bytes) {
  for (const FileNames& names : FilesOf(dataset.format(), part)) {
    std::optional<std::string> found;
    for (const std::string& name : names) {
      const std::string path = absl::StrCat(dataset.directory(), "/", name);
      if (!found && files.Exists(path)) found = path;
    }
    if (!found) {
      return absl::StrCat("there is no ", absl::StrJoin(names, " or "), " in ",
                          dataset.directory());
    }
    const absl::StatusOr<std::unique_ptr<ReadableFile>> file = files.OpenForRead(*found);
    if (!file.ok()) return std::string(file.status().message());
    if ((*file)->size_bytes() == 0) return absl::StrCat(*found, " is empty");
    *total_bytes += (*file)->size_bytes();
  }
  return "";
}

std::optional<std::string> FindWorker(const WorkerSearch& search) {
  std::vector<std::string> folders = {
      std::filesystem::path(search.program_path).parent_path().string()};
  for (const absl::string_view folder : absl::StrSplit(search.path, ':')) {
    folders.emplace_back(folder);
  }
  for (const std::string& folder : folders) {
    const std::string candidate = absl::StrCat(folder, "/entente-worker");
    if (!folder.empty() && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

// The last line of what a program said, without its name before it.
std::string LastWords(const std::string& error_output) {
  const std::vector<absl::string_view> lines =
      absl::StrSplit(error_output, '\n', absl::SkipWhitespace());
  if (lines.empty()) return "";
  return std::string(
      absl::StripPrefix(absl::StripAsciiWhitespace(lines.back()), "entente-worker: "));
}

}  // namespace

void CheckDataset(FileSystem& files, const Dataset& dataset, Examination* examination) {
  uint64_t total_bytes = 0;
  const std::string name = absl::StrCat(dataset.name(), ": ");
  if (const std::string fault = Fault(files, dataset, "train", &total_bytes); !fault.empty()) {
    examination->Fail("data", absl::StrCat(name, fault),
                      "put the training data there, readable by the worker's user, or correct "
                      "datasets[].directory and format");
    return;
  }
  uint64_t held_out_bytes = 0;
  const std::string fault = Fault(files, dataset, "held-out", &held_out_bytes);
  if (!fault.empty()) {
    examination->Warn("data", absl::StrCat(name, fault),
                      "without held-out data this worker trains but evaluates no model");
    return;
  }
  examination->Ok("data",
                  absl::StrCat(name, BytesText(total_bytes), " to train on, ",
                               BytesText(held_out_bytes), " held out, in ", dataset.directory()));
}

void CheckTrainer(const WorkerSearch& search, const std::string& config_path,
                  Examination* examination) {
  const std::optional<std::string> worker = FindWorker(search);
  if (!worker) {
    examination->Warn("trainer",
                      "was not tried: entente-worker is neither beside entente nor in PATH",
                      "run doctor where the worker runs");
    return;
  }
  const absl::StatusOr<ChildResult> result =
      RunChild({*worker, "--config", config_path, "--check-trainer"});
  if (!result.ok()) {
    examination->Add("trainer", result.status(), "");
    return;
  }
  if (result->exit_status == 0) {
    examination->Ok("trainer", "starts in its sandbox and answers");
    return;
  }
  const std::string words = LastWords(result->error_output);
  examination->Add("trainer",
                   absl::FailedPreconditionError(
                       words.empty() ? absl::StrCat(*worker, " ended with ", result->exit_status,
                                                    "; run it by hand: entente-worker --config ",
                                                    config_path, " --check-trainer")
                                     : words),
                   "");
}

}  // namespace entente::cli
