// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_INVENTORY_DATA_DIRECTORY_H_
#define COORDINATOR_INVENTORY_DATA_DIRECTORY_H_

// Where what lies in a coordinator's data directory.

namespace entente::inventory {

inline constexpr char kJournalFile[] = "journal.sqlite";
inline constexpr char kJournalCopyFile[] = "journal.sqlite.copy";  // While a backup is taken.
inline constexpr char kBackupLockFile[] = "backup.lock";           // Held meanwhile.
inline constexpr char kModelsFolder[] = "models";
inline constexpr char kSpoolFolder[] = "spool";

}  // namespace entente::inventory

#endif  // COORDINATOR_INVENTORY_DATA_DIRECTORY_H_
