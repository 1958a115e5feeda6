// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_ENTRY_TEXT_H_
#define SIM_ENTRY_TEXT_H_

#include <string>

#include "coordinator/store/journal.h"

namespace entente::sim {

// Every byte of an entry, the same whenever it is asked for: maps in the order of their keys.
std::string EntryText(const store::JournalEntry& entry);

}  // namespace entente::sim

#endif  // SIM_ENTRY_TEXT_H_
