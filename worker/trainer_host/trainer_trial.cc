// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/trainer_trial.h"

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente::worker {
namespace {

// Two empty folders in one that goes away with it.
class TrialFolders {
 public:
  static absl::StatusOr<std::unique_ptr<TrialFolders>> Create() {
    std::error_code error;
    std::string path =
        (std::filesystem::temp_directory_path(error) / "entente-trial-XXXXXX").string();
    if (error || mkdtemp(path.data()) == nullptr) {
      return absl::UnavailableError("cannot make a temporary folder; is the disk full?");
    }
    auto folders = std::make_unique<TrialFolders>();
    folders->path_ = path;
    std::filesystem::create_directory(path + "/models", error);
    std::filesystem::create_directory(path + "/work", error);
    return folders;
  }
  ~TrialFolders() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string models() const { return path_ + "/models"; }
  std::string work() const { return path_ + "/work"; }

 private:
  std::string path_;
};

absl::StatusOr<TrainerHello> HearHello(TrainerProcess& process, absl::Duration limit) {
  const absl::StatusOr<std::string> line = process.ReadLine(limit);
  if (absl::IsDeadlineExceeded(line.status())) {
    return absl::UnavailableError(
        absl::StrCat("the trainer started but said nothing for ", absl::FormatDuration(limit),
                     "; run trainer.command by hand: its first line is its greeting"));
  }
  if (absl::IsUnavailable(line.status())) {
    // Whoever reads this has no worker's log to look into, and may read what the trainer said.
    const absl::string_view message = line.status().message();
    const std::string& words = process.last_error_line();
    return absl::UnavailableError(absl::StrCat(
        message.substr(0, message.find("; ")),
        words.empty() ? "" : absl::StrCat(", saying \"", words, "\""),
        "; see trainer.command and trainer.readOnlyPaths: in the sandbox it sees nothing else"));
  }
  ENTENTE_RETURN_IF_ERROR(line.status());
  ENTENTE_ASSIGN_OR_RETURN(const TrainerMessage message, ParseTrainerMessage(*line));
  if (const auto* const error = std::get_if<TrainerError>(&message)) {
    return absl::UnavailableError(absl::StrCat("the trainer says: ", error->message));
  }
  const auto* const hello = std::get_if<TrainerHello>(&message);
  if (hello == nullptr) {
    return absl::InvalidArgumentError(
        "the trainer's first message is no greeting; docs/trainer-protocol.md tells what it must "
        "be");
  }
  ENTENTE_RETURN_IF_ERROR(CheckTrainerProtocol(*hello));
  return *hello;
}

}  // namespace

absl::StatusOr<TrainerHello> TryTrainer(SandboxSpec spec, absl::Duration limit) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<TrialFolders> folders, TrialFolders::Create());
  spec.models_folder = folders->models();
  spec.work_folder = folders->work();
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<TrainerProcess> process,
                           TrainerProcess::Start(BuildLaunch(spec)));
  absl::StatusOr<TrainerHello> hello = HearHello(*process, limit);
  if (hello.ok()) process->WriteLine(StopLine(), kTrainerStopGrace).IgnoreError();
  process->Stop(hello.ok() ? kTrainerStopGrace : absl::ZeroDuration());
  return hello;
}

}  // namespace entente::worker
