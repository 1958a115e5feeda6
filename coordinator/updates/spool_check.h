// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_UPDATES_SPOOL_CHECK_H_
#define COORDINATOR_UPDATES_SPOOL_CHECK_H_

// Whether a spool fits the journal that it lies beside. An attempt is journalled before its first
// update is taken in, so a spool that is ahead of the journal shows that the journal has lost its
// end, and with it what was acknowledged: to go on would be to remove those updates.

#include <string>

#include "absl/status/status.h"
#include "common/base/file_system.h"
#include "coordinator/updates/update_spool.h"

namespace entente::updates {

// DATA_LOSS, naming the job, both rounds and what to do, if the spool has folders of the job for
// later attempts than the one that is in flight by the journal, all of which it names; nothing is
// changed.
absl::Status CheckSpoolIsNotAhead(FileSystem& files, const std::string& spool_folder,
                                  const AttemptKey& in_flight);

}  // namespace entente::updates

#endif  // COORDINATOR_UPDATES_SPOOL_CHECK_H_
