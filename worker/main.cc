// SPDX-License-Identifier: Apache-2.0
// entente-worker: a lab's own machine in the alliance.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/base/log.h"
#include "common/base/unknown_option.h"
#include "worker/app/away_command.h"
#include "worker/app/worker_app.h"

namespace {

constexpr const char* kDescription =
    "Dials out to the alliance's coordinator, applies this site's policy to what is asked, and "
    "has\n"
    "its trainer work on the site's own data in a sandbox. Only models and updates travel.";
constexpr const char* kFooter =
    "Exit codes: 0 stopped cleanly, 1 failed at run time, 2 bad configuration or usage.\n"
    "SIGTERM and SIGINT finish the work in flight for at most drainTime, then stop; a second one "
    "stops at once.";

// Beside this program first, then PATH.
std::vector<std::string> ProgramFolders() {
  std::vector<std::string> folders;
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(self.parent_path().string());
  for (char** variable = environ; *variable != nullptr; ++variable) {
    absl::string_view value = *variable;
    if (!absl::StartsWith(value, "PATH=")) continue;
    value.remove_prefix(5);
    for (const absl::string_view folder : absl::StrSplit(value, ':', absl::SkipEmpty())) {
      folders.emplace_back(folder);
    }
  }
  return folders;
}

int BadUsage(absl::string_view sentence) {
  return entente::worker::FailWith(sentence, entente::worker::kExitBadConfig);
}

}  // namespace

int main(int argc, char** argv) {
  entente::worker::WorkerOptions options;
  options.version = ENTENTE_VERSION;
  options.program_folders = ProgramFolders();
  bool is_check = false;
  bool is_trainer_check = false;
  std::string log_format = "text";
  std::string log_level;

  CLI::App app(kDescription, "entente-worker");
  app.footer(kFooter);
  app.allow_extras();  // So that what is unknown is ours to explain.
  app.set_version_flag("--version", "entente-worker " ENTENTE_VERSION);
  app.add_option("--config", options.config_path, "This worker's configuration")
      ->required()
      ->type_name("FILE");
  app.fallthrough();  // --config may stand after a command, too.
  entente::worker::AwayRequest away_request;
  CLI::App* const away =
      app.add_subcommand("away", "Take no part for a while: tasks are given back, no others taken");
  away->add_option("--until", away_request.until, "When it is back, e.g. 2026-11-30T08:00Z")
      ->type_name("TIME");
  away->add_option("--for", away_request.for_time, "For how long, e.g. 2h")->type_name("DURATION");
  away->add_option("--reason", away_request.reason, "Why, for the alliance to read");
  CLI::App* const back = app.add_subcommand("back", "Take part again");
  app.add_flag("--check-config", is_check, "Check everything the start would need, then exit");
  app.add_flag("--check-trainer", is_trainer_check,
               "As --check-config, and start the trainer in its sandbox to hear its greeting");
  app.add_option("--log-format", log_format, "text (the default) or json")->type_name("FORMAT");
  app.add_option("--log-level", log_level, "debug, info, warning or error; default: as configured")
      ->type_name("LEVEL");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help and --version.
    return app.exit(success) == 0 ? entente::worker::kExitStopped : entente::worker::kExitBadConfig;
  } catch (const CLI::ParseError& error) {
    return BadUsage(entente::UnknownWordSentence(app).value_or(
        absl::StrCat(error.what(), "; see \"entente-worker --help\"")));
  }
  if (const auto sentence = entente::UnknownWordSentence(app)) return BadUsage(*sentence);
  away_request.config_path = options.config_path;
  if (away->parsed()) return entente::worker::SayAway(away_request);
  if (back->parsed()) return entente::worker::SayBack(options.config_path);
  const auto format = entente::log::ParseFormat(log_format);
  if (!format.ok()) return BadUsage(format.status().message());
  options.log_format = *format;
  if (!log_level.empty()) {
    const auto level = entente::log::ParseLevel(log_level);
    if (!level.ok()) return BadUsage(level.status().message());
    options.log_level = *level;
  }
  if (is_trainer_check) return entente::worker::CheckTrainer(options);
  return is_check ? entente::worker::CheckWorker(options) : entente::worker::RunWorker(options);
}
