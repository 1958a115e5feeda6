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
inline constexpr char kAuthoritiesFile[] = "authorities.pem";      // Of whose clients are let in.
inline constexpr char kModelsFolder[] = "models";
inline constexpr char kSpoolFolder[] = "spool";

// Makes the folder, and its parents, if it is not there. The file system's error, with what to do,
// if it cannot be had.
absl::Status MakeDataDirectory(FileSystem& files, const std::string& folder);

// Before a journal is made, or gone on with: a new directory has neither models nor updates, for
// the journal comes first. DATA_LOSS, naming both, if they are there and the journal is missing,
// empty or without the entries that must have been before them. FAILED_PRECONDITION if this is a
// backup that was cut off before its journal took its place. Nothing is changed. A journal that
// cannot be read is OK here: whoever opens it is told.
absl::Status CheckJournalIsThere(FileSystem& files, const std::string& folder);

// Before a journal is opened for writing, which brings the tables of an older version up to date:
// FAILED_PRECONDITION, naming both, if it is another alliance's; nothing is changed. One that is
// not there or cannot be opened is OK here, too.
absl::Status CheckJournalIsOf(FileSystem& files, const std::string& folder,
                              const std::string& alliance);

}  // namespace entente::inventory

#endif  // COORDINATOR_INVENTORY_DATA_DIRECTORY_H_
