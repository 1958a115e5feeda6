// SPDX-License-Identifier: Apache-2.0
#include "coordinator/inventory/data_directory.h"

#include <vector>

#include "absl/strings/str_cat.h"

namespace entente::inventory {

absl::Status CheckJournalIsThere(FileSystem& files, const std::string& folder) {
  const std::string journal = absl::StrCat(folder, "/", kJournalFile);
  const auto journal_bytes = files.SizeBytes(journal);
  if (journal_bytes.ok() && *journal_bytes > 0) return absl::OkStatus();
  for (const char* const name : {kModelsFolder, kSpoolFolder}) {
    const std::string path = absl::StrCat(folder, "/", name);
    const auto names = files.ListNames(path);
    if (!names.ok() || names->empty()) continue;  // A folder that is not there holds nothing.
    return absl::DataLossError(absl::StrCat(
        journal, " is ", journal_bytes.ok() ? "empty" : "missing", ", but ", path,
        " is not empty: its jobs would be lost; nothing was changed: put the journal back from a "
        "copy of the whole data directory, or choose another dataDirectory"));
  }
  return absl::OkStatus();
}

}  // namespace entente::inventory
