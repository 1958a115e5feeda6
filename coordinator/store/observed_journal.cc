// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/observed_journal.h"

#include "common/base/status_macros.h"

namespace entente::store {

absl::Status ObservedJournal::Append(const JournalEntry& entry) {
  ENTENTE_RETURN_IF_ERROR(journal_.Append(entry));
  if (observer_) observer_(entry);
  return absl::OkStatus();
}

}  // namespace entente::store
