// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_TRAINER_HOST_SANDBOX_H_
#define WORKER_TRAINER_HOST_SANDBOX_H_

// What keeps the trainer from the network and from files that are not its own: Debian's bubblewrap.
//
// Inside, the trainer sees:
//   /usr, the linker's and /etc/alternatives' links  read-only, to run at all
//   its own program, trainer.readOnlyPaths           read-only, where they are outside
//   /entente/data      the data set's folder         read-only
//   /entente/models    the worker's model cache      read-only
//   /entente/work      one private folder            read-write
//   /proc, /dev        its own processes only; null, zero, random and the devices of
//   trainer.devices
// and nothing else of the machine. It has no network (not even the machine's loopback), no
// capabilities, no way to get new privileges, and dies with the worker.
//
// Without a sandbox the same things carry their real paths.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/trainer_host/trainer_process.h"

namespace entente::worker {

enum class SandboxKind { kBubblewrap, kNone };

// "bubblewrap" or "none", as Hello says it.
absl::string_view SandboxName(SandboxKind kind);

// All paths are absolute.
struct SandboxSpec {
  SandboxKind kind = SandboxKind::kBubblewrap;
  std::string bubblewrap;            // Path of bwrap; empty without a sandbox.
  std::vector<std::string> command;  // The trainer's path and arguments.
  std::string data_folder;           // Empty while no data set is chosen.
  std::string models_folder;
  std::string work_folder;
  std::vector<std::string> read_only_paths;
  std::vector<std::string> devices;
  int threads = 1;
  std::string traceparent;  // Of whom it works for, as the environment's TRACEPARENT; or empty.
};

// How to start the trainer. Pure.
ProcessSpec BuildLaunch(const SandboxSpec& spec);

// What the trainer calls `path`, which lies in (or is) one of the spec's three folders.
std::string PathInside(const SandboxSpec& spec, absl::string_view path);

// `text` with the data folder's path called what it is called in the sandbox, /entente/data: where
// a site keeps its data is for nobody's log.
std::string WithoutDataFolder(const SandboxSpec& spec, absl::string_view text);

// The path of a program: `name` itself if it has a slash, made absolute; else looked for in
// `folders`, in order. NOT_FOUND, naming where it was looked for.
absl::StatusOr<std::string> FindProgram(absl::string_view name,
                                        const std::vector<std::string>& folders);

// The path of bwrap. NOT_FOUND, saying what to install, if there is none.
absl::StatusOr<std::string> FindBubblewrap(const std::vector<std::string>& folders);

// Runs /usr/bin/true in a sandbox. FAILED_PRECONDITION, with bubblewrap's own words and what to do,
// if this machine does not let it. Blocks for 10 s at most.
absl::Status CheckBubblewrap(const std::string& bubblewrap);

}  // namespace entente::worker

#endif  // WORKER_TRAINER_HOST_SANDBOX_H_
