// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_FAILING_JOURNAL_H_
#define TESTS_SUPPORT_FAILING_JOURNAL_H_

#include <functional>

#include "absl/status/status.h"
#include "coordinator/store/journal.h"

namespace entente {

// A journal that keeps nothing, and takes or refuses what is appended as the test says. What it
// replays is one entry, of the job "kept".
class FailingJournal final : public store::Journal {
 public:
  absl::Status Append(const store::JournalEntry&) override { return next; }
  absl::Status Replay(
      const std::function<absl::Status(const store::JournalEntry&)>& visit) const override {
    return visit({.job = JobId("kept"), .sequence = 1});
  }

  absl::Status next;
};

}  // namespace entente

#endif  // TESTS_SUPPORT_FAILING_JOURNAL_H_
