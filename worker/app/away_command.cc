// SPDX-License-Identifier: Apache-2.0
#include "worker/app/away_command.h"

#include <cstdio>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/away_text.h"
#include "common/config/duration_text.h"
#include "common/config/name_rules.h"
#include "common/config/proto_time.h"
#include "common/config/quoted.h"
#include "common/config/worker_config.h"
#include "worker/app/worker_app.h"
#include "worker/session/away_file.h"

namespace entente::worker {
namespace {

absl::StatusOr<std::optional<absl::Time>> UntilOf(const AwayRequest& request, absl::Time now) {
  if (!request.until.empty() && !request.for_time.empty()) {
    return absl::InvalidArgumentError("give --until or --for, not both");
  }
  if (!request.until.empty()) {
    const absl::StatusOr<absl::Time> until = ParseUntil(request.until);
    if (!until.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--until is ", Quoted(request.until), "; it ", until.status().message()));
    }
    if (*until <= now) {
      return absl::InvalidArgumentError(
          absl::StrCat("--until is ", Quoted(request.until), ", which has passed"));
    }
    return *until;
  }
  if (request.for_time.empty()) return std::nullopt;
  const absl::StatusOr<absl::Duration> time = ParseDurationText(request.for_time);
  if (!time.ok() || *time <= absl::ZeroDuration() || *time > absl::Hours(24 * 366)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--for is ", Quoted(request.for_time),
                     "; it must be a duration such as 90m, 2h or 3d, of at most a year"));
  }
  return now + *time;
}

absl::StatusOr<v1::Away> AwayOf(const AwayRequest& request, absl::Time now) {
  v1::Away away;
  ENTENTE_ASSIGN_OR_RETURN(const std::optional<absl::Time> until, UntilOf(request, now));
  if (until.has_value()) *away.mutable_until() = ToProto(*until);
  if (!request.reason.empty() && !IsOneLine(request.reason, limits::kReasonBytesMax)) {
    return absl::InvalidArgumentError(absl::StrCat("--reason must be one line of at most ",
                                                   limits::kReasonBytesMax, " characters"));
  }
  away.set_reason(request.reason);
  return away;
}

// Where the configuration has its work directory; made if it is not there yet.
absl::StatusOr<std::string> NotePath(FileSystem& files, const std::string& config_path) {
  ENTENTE_ASSIGN_OR_RETURN(const config::v1::WorkerConfig config,
                           LoadWorkerConfig(files, config_path));
  ENTENTE_RETURN_IF_ERROR(files.CreateFolder(config.work_directory()));
  return AwayFilePath(config.work_directory());
}

int Complain(const absl::Status& status) {
  const bool is_of_the_disk = absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
  return FailWith(status.message(), is_of_the_disk ? kExitFailed : kExitBadConfig);
}

absl::StatusOr<v1::Away> WriteNote(const AwayRequest& request) {
  PosixFileSystem files;
  ENTENTE_ASSIGN_OR_RETURN(v1::Away away, AwayOf(request, SystemClock().Now()));
  ENTENTE_ASSIGN_OR_RETURN(const std::string path, NotePath(files, request.config_path));
  ENTENTE_RETURN_IF_ERROR(WriteAwayFile(files, path, away));
  return away;
}

// Whether it was away until now.
absl::StatusOr<bool> RemoveNote(const std::string& config_path) {
  PosixFileSystem files;
  ENTENTE_ASSIGN_OR_RETURN(const std::string path, NotePath(files, config_path));
  // A note that cannot be read means away, see AwayWatch; one whose time has come does not.
  const absl::StatusOr<std::optional<v1::Away>> note = ReadAwayFile(files, path);
  const bool was_away =
      !note.ok() || (note->has_value() &&
                     (!(*note)->has_until() || SystemClock().Now() < ToTime((*note)->until())));
  ENTENTE_RETURN_IF_ERROR(files.Remove(path));
  return was_away;
}

}  // namespace

int SayAway(const AwayRequest& request) {
  const absl::StatusOr<v1::Away> away = WriteNote(request);
  if (!away.ok()) return Complain(away.status());
  std::printf("this worker is %s\n", AwayText(*away).c_str());
  return kExitStopped;
}

int SayBack(const std::string& config_path) {
  const absl::StatusOr<bool> was_away = RemoveNote(config_path);
  if (!was_away.ok()) return Complain(was_away.status());
  std::printf("this worker %s\n", *was_away ? "is back" : "was not away");
  return kExitStopped;
}

}  // namespace entente::worker
