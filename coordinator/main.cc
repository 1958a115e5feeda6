// SPDX-License-Identifier: Apache-2.0
// entente-coordinator: opens rounds, combines updates, keeps models. coordinator/app wires it.

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file_system.h"
#include "common/base/log.h"
#include "common/base/unknown_option.h"
#include "common/config/coordinator_config.h"
#include "common/config/logging_level.h"
#include "common/rpc/grpc_log.h"
#include "coordinator/app/coordinator_app.h"
#include "coordinator/inventory/data_directory.h"
#include "coordinator/inventory/verification.h"

namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitBadConfiguration = 2;

constexpr char kFooter[] =
    "Exit codes: 0 stopped cleanly, 1 failed while running or starting, or a finding of --verify, "
    "2 bad "
    "usage or configuration.\n"
    "Signals: SIGTERM and SIGINT stop it within twice drainTime: once for calls, and once for an "
    "aggregation in flight; an upload that is just being checked or written is finished first. Its "
    "jobs go on when it is started again.";

// Updates, transfers and workers each hold a descriptor; the usual soft limit of 1,024 is too few.
// A limit that cannot be raised is met where it is too low, with a sentence of its own.
void RaiseOpenFiles() {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

// glibc's malloc has 8 arenas a core unless told, and each keeps the room of its busiest moment: a
// third of the memory of 32 transfers. One a core does as well. Before the first thread.
void BoundMallocArenas() {
  mallopt(M_ARENA_MAX, static_cast<int>(std::max(2U, std::thread::hardware_concurrency())));
}

int Fail(const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "entente-coordinator: %s\n", std::string(status.message()).c_str());
  return exit_code;
}

int BadUsage(const std::string& sentence) {
  return Fail(absl::InvalidArgumentError(sentence), kExitBadConfiguration);
}

// The directory of a configuration may be another alliance's.
absl::Status CheckDirectoryIsOurs(entente::FileSystem& files,
                                  const entente::config::v1::CoordinatorConfig& config) {
  return entente::inventory::CheckJournalIsOf(files, config.data_directory(),
                                              config.alliance().trust_domain());
}

// --verify: of a data directory, or of the one that a configuration names.
int Verify(entente::FileSystem& files, const std::string& path) {
  std::string folder = path;
  std::error_code ignored;  // What cannot be looked at is no folder; reading it will say why.
  if (!std::filesystem::is_directory(path, ignored)) {
    const auto config = entente::LoadCoordinatorConfig(files, path);
    if (!config.ok()) return Fail(config.status(), kExitBadConfiguration);
    folder = config->data_directory();
    if (const absl::Status status = CheckDirectoryIsOurs(files, *config); !status.ok()) {
      return Fail(status, kExitFailed);
    }
  }
  const auto verification = entente::inventory::VerifyDataDirectory(files, folder);
  if (!verification.ok()) return Fail(verification.status(), kExitFailed);
  std::fputs(entente::inventory::VerificationText(*verification, folder).c_str(), stdout);
  return verification->damages.empty() ? kExitOk : kExitFailed;
}

// Why the coordinator could not go on. Thread-safe.
class Failure {
 public:
  void Set(const absl::Status& reason) {
    absl::MutexLock lock(&mu_);
    reason_ = reason;
  }
  absl::Status Get() const {
    absl::MutexLock lock(&mu_);
    return reason_;
  }

 private:
  mutable absl::Mutex mu_;
  absl::Status reason_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Opens the rounds of a federation, combines its workers' updates, keeps its models.",
               "entente-coordinator");
  app.footer(kFooter);
  app.allow_extras();  // So that what is unknown is ours to explain.
  app.set_version_flag("--version", "entente-coordinator " ENTENTE_VERSION);
  std::string config_path;
  std::string log_format = "text";
  std::string log_level;
  bool check_only = false;
  std::string verify_path;
  app.add_option("--config", config_path, "This coordinator's configuration")->type_name("FILE");
  app.add_flag("--check-config", check_only, "Check everything the start would need, then exit");
  app.add_option("--verify", verify_path,
                 "Check a data directory that no coordinator runs on, say what it holds, then exit")
      ->type_name("FILE-or-DIRECTORY");
  app.add_option("--log-format", log_format, "text (the default) or json")->type_name("FORMAT");
  app.add_option("--log-level", log_level, "debug, info, warning or error; default: as configured")
      ->type_name("LEVEL");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help and --version.
    return app.exit(success) == 0 ? kExitOk : kExitBadConfiguration;
  } catch (const CLI::ParseError& error) {
    return BadUsage(entente::UnknownWordSentence(app).value_or(
        absl::StrCat(error.what(), "; see \"entente-coordinator --help\"")));
  }
  if (const auto sentence = entente::UnknownWordSentence(app)) return BadUsage(*sentence);

  const auto format = entente::log::ParseFormat(log_format);
  if (!format.ok()) return Fail(format.status(), kExitBadConfiguration);
  RaiseOpenFiles();
  BoundMallocArenas();
  entente::PosixFileSystem files;
  if (!verify_path.empty()) return Verify(files, verify_path);
  if (config_path.empty()) {
    return BadUsage("--config is required; see \"entente-coordinator --help\"");
  }
  const auto config = entente::LoadCoordinatorConfig(files, config_path);
  if (!config.ok()) return Fail(config.status(), kExitBadConfiguration);
  const auto level = log_level.empty() ? entente::ToLogLevel(config->logging())
                                       : entente::log::ParseLevel(log_level);
  if (!level.ok()) return Fail(level.status(), kExitBadConfiguration);
  entente::log::Configure(*format, *level);
  entente::RouteGrpcLog();
  if (check_only) {
    if (const absl::Status status = entente::CheckCoordinatorFiles(*config); !status.ok()) {
      return Fail(status, kExitBadConfiguration);
    }
    if (const absl::Status status = CheckDirectoryIsOurs(files, *config); !status.ok()) {
      return Fail(status, kExitBadConfiguration);
    }
    std::printf("%s is fine: %d %s, listening on %s\n", config_path.c_str(), config->members_size(),
                config->members_size() == 1 ? "member" : "members", config->listen().c_str());
    return kExitOk;
  }

  // Blocked before any thread starts, so that all inherit it and sigwait below is the one receiver.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  Failure failure;
  const auto coordinator = entente::CoordinatorApp::Start(
      *config, ENTENTE_VERSION, [&failure](const absl::Status& reason) {
        failure.Set(reason);
        kill(getpid(), SIGTERM);  // Ends the wait below.
      });
  if (!coordinator.ok()) {
    return Fail(coordinator.status(), absl::IsInvalidArgument(coordinator.status())
                                          ? kExitBadConfiguration
                                          : kExitFailed);
  }
  int signal = 0;
  sigwait(&stop_signals, &signal);
  (*coordinator)->Stop();
  const absl::Status reason = failure.Get();
  return reason.ok() ? kExitOk : Fail(reason, kExitFailed);
}
