// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_INVENTORY_DATA_DIRECTORY_H_
#define COORDINATOR_INVENTORY_DATA_DIRECTORY_H_

// Where what lies in a coordinator's data directory.

#include <string>

#include "absl/status/status.h"
#include "common/base/file_system.h"

namespace entente::inventory {

inline constexpr char kJournalFile[] = "journal.sqlite";
inline constexpr char kJournalCopyFile[] = "journal.sqlite.copy";  // While a backup is taken.
inline constexpr char kBackupLockFile[] = "backup.lock";           // Held meanwhile.
inline constexpr char kModelsFolder[] = "models";
inline constexpr char kSpoolFolder[] = "spool";

// Before a journal is made where none is: a new directory has neither models nor updates, for the
// journal comes first. DATA_LOSS, naming both, if the journal is missing or empty and they are not;
// nothing is changed.
absl::Status CheckJournalIsThere(FileSystem& files, const std::string& folder);

}  // namespace entente::inventory

#endif  // COORDINATOR_INVENTORY_DATA_DIRECTORY_H_
