// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_SPAWN_H_
#define COMMON_BASE_SPAWN_H_

// Starts another program as a child of this one.

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/owned_descriptor.h"

namespace entente {

struct SpawnSpec {
  std::vector<std::string> argv;         // argv[0] is the program's path; not empty.
  std::vector<std::string> environment;  // "NAME=value"; nothing else is inherited.
  std::string folder;                    // Where it starts.
  // What it gets as its standard streams, borrowed; -1 is /dev/null.
  int input = -1;
  int output = -1;
  int error = -1;
  // Whether it is in a process group of its own, so that one signal reaches all that it starts, and
  // a Ctrl-C on the terminal does not.
  bool has_own_group = true;
};

struct SpawnedProcess {
  pid_t pid = 0;
  OwnedDescriptor ended;  // Readable, to poll(2), once it has ended.
};

// The child has no other descriptor of ours, no signal blocked and none ignored. Whoever started it
// reaps it, with WaitForEnd.
//
// UNAVAILABLE, naming the program, if it cannot be started or watched; nothing runs then.
// Thread-safe.
absl::StatusOr<SpawnedProcess> Spawn(const SpawnSpec& spec);

// How a child ended.
struct ProcessEnd {
  int code = 0;  // Its exit status, or 128 plus the signal that ended it, as shells count.
  bool by_signal = false;
};

// Waits for the child's end and reaps it.
ProcessEnd WaitForEnd(pid_t pid);

}  // namespace entente

#endif  // COMMON_BASE_SPAWN_H_
