// SPDX-License-Identifier: Apache-2.0
// entente-coordinator: opens rounds, combines updates, keeps models. coordinator/app wires it.

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>

#include "common/base/file_system.h"
#include "common/base/log.h"
#include "common/config/coordinator_config.h"
#include "common/rpc/grpc_log.h"
#include "coordinator/app/coordinator_app.h"

namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitBadConfiguration = 2;

constexpr char kFooter[] =
    "Exit codes: 0 stopped cleanly, 1 failed while running or starting, 2 bad usage or configuration.\n"
    "Signals: SIGTERM and SIGINT stop it within drainTime; its jobs go on when it is started again.";

entente::log::Level LevelOf(const entente::config::v1::CoordinatorConfig& config) {
  using entente::config::v1::Logging;
  switch (config.logging().level()) {
    case Logging::LEVEL_DEBUG: return entente::log::Level::kDebug;
    case Logging::LEVEL_WARNING: return entente::log::Level::kWarning;
    case Logging::LEVEL_ERROR: return entente::log::Level::kError;
    default: return entente::log::Level::kInfo;
  }
}

int Fail(const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "entente-coordinator: %s\n", std::string(status.message()).c_str());
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs the rounds of a federation: entente-coordinator --config coordinator.yaml");
  app.footer(kFooter);
  app.set_version_flag("--version", "entente-coordinator " ENTENTE_VERSION);
  std::string config_path;
  std::string log_format = "text";
  bool check_only = false;
  app.add_option("--config", config_path, "Configuration file; see configs/coordinator.yaml")
      ->required();
  app.add_option("--log-format", log_format, "text or json")->capture_default_str();
  app.add_flag("--check-config", check_only, "Check the configuration and its files, and exit");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // CLI11 reports --help and mistakes this way.
    return app.exit(error) == 0 ? kExitOk : kExitBadConfiguration;
  }

  const auto format = entente::log::ParseFormat(log_format);
  if (!format.ok()) return Fail(format.status(), kExitBadConfiguration);
  entente::PosixFileSystem files;
  const auto config = entente::LoadCoordinatorConfig(files, config_path);
  if (!config.ok()) return Fail(config.status(), kExitBadConfiguration);
  entente::log::Configure(*format, LevelOf(*config));
  entente::RouteGrpcLog();
  if (check_only) {
    if (const absl::Status status = entente::CheckCoordinatorFiles(*config); !status.ok()) {
      return Fail(status, kExitBadConfiguration);
    }
    std::printf("%s is fine: %d members, listening on %s\n", config_path.c_str(),
                config->members_size(), config->listen().c_str());
    return kExitOk;
  }

  // Blocked before any thread starts, so that all inherit it and sigwait below is the one receiver.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  const auto coordinator = entente::CoordinatorApp::Start(*config, ENTENTE_VERSION);
  if (!coordinator.ok()) {
    return Fail(coordinator.status(), absl::IsInvalidArgument(coordinator.status())
                                          ? kExitBadConfiguration
                                          : kExitFailed);
  }
  int signal = 0;
  sigwait(&stop_signals, &signal);
  (*coordinator)->Stop();
  return kExitOk;
}
