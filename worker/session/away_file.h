// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_AWAY_FILE_H_
#define WORKER_SESSION_AWAY_FILE_H_

// The note by which a lab's operator tells the running worker that it is away: a file in the work
// directory, so that it needs no port and outlives the worker.
//
//   {"until": "2026-11-30T08:00:00+00:00", "reason": "the GPU is lent"}

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/file_system.h"
#include "entente/v1/member.pb.h"

namespace entente::worker {

// Where it lies in a work directory.
std::string AwayFilePath(absl::string_view work_directory);

// What the file says; nothing if there is none. INVALID_ARGUMENT, naming the file, if it is not
// what WriteAwayFile writes.
absl::StatusOr<std::optional<v1::Away>> ReadAwayFile(FileSystem& files, const std::string& path);

absl::Status WriteAwayFile(FileSystem& files, const std::string& path, const v1::Away& away);

// A time as people write it: "2026-11-30T08:00Z", with seconds, with another zone ("+01:00"), or a
// day alone, which begins at 00:00 UTC. INVALID_ARGUMENT with half a sentence ("must be ...").
absl::StatusOr<absl::Time> ParseUntil(absl::string_view text);

}  // namespace entente::worker

#endif  // WORKER_SESSION_AWAY_FILE_H_
