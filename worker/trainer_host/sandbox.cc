// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/sandbox.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"

namespace entente::worker {
namespace {

constexpr absl::string_view kDataInside = "/entente/data";
constexpr absl::string_view kModelsInside = "/entente/models";
constexpr absl::string_view kWorkInside = "/entente/work";
constexpr absl::Duration kCheckTime = absl::Seconds(10);

void Append(std::vector<std::string>* argv, std::vector<std::string> more) {
  argv->insert(argv->end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

bool IsWithin(absl::string_view path, absl::string_view folder) {
  return path == folder ||
         absl::StartsWith(path, absl::StrCat(absl::StripSuffix(folder, "/"), "/"));
}

std::vector<std::pair<std::string, std::string>> Environment(const SandboxSpec& spec,
                                                             absl::string_view home) {
  std::vector<std::pair<std::string, std::string>> environment = {
      {"PATH", "/usr/local/bin:/usr/bin:/bin"},
      {"HOME", std::string(home)},
      {"TMPDIR", "/tmp"},
      {"LANG", "C.UTF-8"},
      {"OMP_NUM_THREADS", absl::StrCat(spec.threads)}};
  if (!spec.traceparent.empty()) environment.emplace_back("TRACEPARENT", spec.traceparent);
  return environment;
}

// Walls first: they are the same for the check and for the trainer.
//
// The "-try" forms of user and cgroup: as root in a container new user namespaces may be refused,
// and are not needed. Everything else must work, or bubblewrap stops.
std::vector<std::string> Walls(const std::string& bubblewrap) {
  std::vector<std::string> argv = {bubblewrap};
  Append(&argv, {"--unshare-user-try", "--unshare-net", "--unshare-pid", "--unshare-ipc",
                 "--unshare-uts", "--unshare-cgroup-try", "--hostname", "trainer"});
  Append(&argv, {"--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"});
  // Debian's root is merged: /lib, /bin and the like are links into /usr.
  Append(&argv, {"--ro-bind", "/usr", "/usr"});
  for (const char* name : {"lib", "lib32", "lib64", "bin", "sbin"}) {
    Append(&argv, {"--symlink", absl::StrCat("usr/", name), absl::StrCat("/", name)});
  }
  // The dynamic linker's cache, and the links through which BLAS is found.
  for (const char* path :
       {"/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"}) {
    Append(&argv, {"--ro-bind-try", path, path});
  }
  Append(&argv, {"--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"});
  // How many processors there are: LibTorch's kernels ask before they run.
  Append(&argv, {"--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"});
  return argv;
}

bool IsShownAlready(const SandboxSpec& spec, absl::string_view program) {
  if (IsWithin(program, "/usr") || IsWithin(program, "/bin") || IsWithin(program, "/sbin")) {
    return true;
  }
  return std::any_of(spec.read_only_paths.begin(), spec.read_only_paths.end(),
                     [&](const std::string& path) { return IsWithin(program, path); });
}

}  // namespace

absl::string_view SandboxName(SandboxKind kind) {
  return kind == SandboxKind::kBubblewrap ? "bubblewrap" : "none";
}

ProcessSpec BuildLaunch(const SandboxSpec& spec) {
  ProcessSpec launch;
  launch.clean_line = [spec](absl::string_view line) { return WithoutDataFolder(spec, line); };
  if (spec.kind == SandboxKind::kNone) {
    launch.argv = spec.command;
    launch.folder = spec.work_folder;
    for (const auto& [name, value] : Environment(spec, spec.work_folder)) {
      launch.environment.push_back(absl::StrCat(name, "=", value));
    }
    return launch;
  }
  std::vector<std::string>& argv = launch.argv;
  argv = Walls(spec.bubblewrap);
  for (const auto& [name, value] : Environment(spec, kWorkInside)) {
    Append(&argv, {"--setenv", name, value});
  }
  for (const std::string& path : spec.read_only_paths) Append(&argv, {"--ro-bind", path, path});
  const std::string& program = spec.command.front();
  if (!IsShownAlready(spec, program)) Append(&argv, {"--ro-bind", program, program});
  for (const std::string& device : spec.devices) Append(&argv, {"--dev-bind", device, device});
  if (!spec.data_folder.empty()) {
    Append(&argv, {"--ro-bind", spec.data_folder, std::string(kDataInside)});
  }
  Append(&argv, {"--ro-bind", spec.models_folder, std::string(kModelsInside)});
  Append(&argv, {"--bind", spec.work_folder, std::string(kWorkInside)});
  // The new root and the folders on the way to the paths above are bubblewrap's own and writable
  // memory until they are closed.
  Append(&argv, {"--remount-ro", "/", "--chdir", std::string(kWorkInside), "--"});
  Append(&argv, spec.command);
  launch.folder = "/";
  return launch;
}

std::string PathInside(const SandboxSpec& spec, absl::string_view path) {
  if (spec.kind == SandboxKind::kNone) return std::string(path);
  const std::pair<absl::string_view, absl::string_view> folders[] = {
      {spec.work_folder, kWorkInside},
      {spec.models_folder, kModelsInside},
      {spec.data_folder, kDataInside}};
  for (const auto& [outside, inside] : folders) {
    if (outside.empty() || !IsWithin(path, outside)) continue;
    return absl::StrCat(inside, path.substr(absl::StripSuffix(outside, "/").size()));
  }
  return std::string(path);
}

std::string WithoutDataFolder(const SandboxSpec& spec, absl::string_view text) {
  const absl::string_view folder = absl::StripSuffix(spec.data_folder, "/");
  if (folder.empty()) return std::string(text);
  return absl::StrReplaceAll(text, {{folder, kDataInside}});
}

absl::StatusOr<std::string> FindProgram(absl::string_view name,
                                        const std::vector<std::string>& folders) {
  std::vector<std::string> candidates;
  if (absl::StrContains(name, "/")) {
    candidates.push_back(std::string(name));
  } else {
    for (const std::string& folder : folders) candidates.push_back(absl::StrCat(folder, "/", name));
  }
  for (const std::string& candidate : candidates) {
    std::error_code error;
    const std::filesystem::path path = std::filesystem::absolute(candidate, error);
    if (error || !std::filesystem::is_regular_file(path, error)) continue;
    if (access(path.c_str(), X_OK) == 0) return path.lexically_normal().string();
  }
  return absl::NotFoundError(
      absl::StrCat("there is no program ", absl::StrJoin(candidates, ", nor ")));
}

absl::StatusOr<std::string> FindBubblewrap(const std::vector<std::string>& folders) {
  const absl::StatusOr<std::string> path = FindProgram("bwrap", folders);
  if (path.ok()) return path;
  return absl::NotFoundError(
      "bubblewrap is not installed: apt-get install bubblewrap, or set trainer.sandbox to none to "
      "run without (not advised)");
}

absl::Status CheckBubblewrap(const std::string& bubblewrap) {
  ProcessSpec launch{.argv = Walls(bubblewrap), .environment = {}, .folder = "/"};
  Append(&launch.argv, {"--", "/usr/bin/true"});
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<TrainerProcess> process,
                           TrainerProcess::Start(launch));
  const absl::StatusOr<std::string> line = process->ReadLine(kCheckTime);
  if (process->HasEnded() && process->ExitCode() == 0) return absl::OkStatus();
  const std::string& words = process->last_error_line();
  return absl::FailedPreconditionError(absl::StrCat(
      "bubblewrap does not work on this machine (",
      words.empty() ? std::string(line.status().message()) : words,
      "): allow user namespaces (sysctl user.max_user_namespaces), run the worker where they are "
      "allowed, or set trainer.sandbox to none to run without (not advised)"));
}

}  // namespace entente::worker
