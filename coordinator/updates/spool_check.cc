// SPDX-License-Identifier: Apache-2.0
#include "coordinator/updates/spool_check.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/base/file_name.h"
#include "common/base/status_macros.h"

namespace entente::updates {
namespace {

using RoundAndAttempt = std::pair<uint32_t, uint32_t>;  // Ordered as they come.

// Of the name of an attempt's folder, "<round index>-<attempt>"; none if it is another's.
std::optional<RoundAndAttempt> ParseAttemptName(absl::string_view name) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(name, absl::MaxSplits('-', 1));
  RoundAndAttempt found;
  if (!absl::SimpleAtoi(parts.first, &found.first) ||
      !absl::SimpleAtoi(parts.second, &found.second)) {
    return std::nullopt;
  }
  return found;
}

std::string RoundText(const RoundAndAttempt& which) {
  return absl::StrCat("round ", uint64_t{which.first} + 1, " attempt ", which.second);
}

void AppendFolder(std::string* text, const std::pair<RoundAndAttempt, std::string>& ahead) {
  text->append(ahead.second);
}

}  // namespace

absl::Status CheckSpoolIsNotAhead(FileSystem& files, const std::string& spool_folder,
                                  const AttemptKey& in_flight) {
  const std::string job_folder = absl::StrCat(spool_folder, "/", FileNameOf(in_flight.job.value()));
  const absl::StatusOr<std::vector<std::string>> names = ListFolders(files, job_folder);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  ENTENTE_RETURN_IF_ERROR(names.status());
  const RoundAndAttempt journalled(in_flight.round_index, in_flight.attempt);
  std::set<std::pair<RoundAndAttempt, std::string>> ahead;
  for (const std::string& name : *names) {
    const std::optional<RoundAndAttempt> found = ParseAttemptName(name);
    if (!found.has_value() || *found <= journalled) continue;
    ahead.emplace(*found, absl::StrCat(job_folder, "/", name));
  }
  if (ahead.empty()) return absl::OkStatus();
  const auto& [latest, folder] = *ahead.rbegin();
  return absl::DataLossError(absl::StrCat(
      "the journal ends in ", RoundText(journalled), " of job ", in_flight.job.value(), ", but ",
      folder, " is of ", RoundText(latest),
      ": the journal has lost its end (its log, journal.sqlite-wal, may have been lost, or an "
      "older journal put back); no update was removed: put the newest journal, with its log if "
      "there is one, or a copy of the whole data directory back, or, to go on from ",
      RoundText(journalled), " all the same, move ", absl::StrJoin(ahead, " and ", AppendFolder),
      " elsewhere"));
}

}  // namespace entente::updates
