// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_OBSERVED_JOURNAL_H_
#define COORDINATOR_STORE_OBSERVED_JOURNAL_H_

#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/store/journal.h"

namespace entente::store {

// Another journal, somebody who is told of every entry once it is durable, and whether the journal
// takes entries at all. Thread-safe.
class ObservedJournal final : public Journal {
 public:
  using Observer = std::function<void(const JournalEntry& entry)>;

  // Both are borrowed; the clock is a steady one.
  ObservedJournal(Journal* journal, const Clock* clock) : journal_(*journal), clock_(*clock) {}

  // Set once, before the first Append. Called on the threads that append; must not block.
  void SetObserver(Observer observer) { observer_ = std::move(observer); }

  // OK if the last Append was, or none failed for limits::kJournalFailureAgeMax. Otherwise one
  // sentence that anybody may read, so without the path: RESOURCE_EXHAUSTED if the disk was full,
  // else UNAVAILABLE.
  absl::Status Health() const override ABSL_LOCKS_EXCLUDED(mu_);

  absl::Status Append(const JournalEntry& entry) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Replay(
      const std::function<absl::Status(const JournalEntry&)>& visit) const override {
    return journal_.Replay(visit);
  }

 private:
  void Note(const absl::Status& outcome) ABSL_LOCKS_EXCLUDED(mu_);

  Journal& journal_;
  const Clock& clock_;
  Observer observer_;  // Constant after SetObserver.

  mutable absl::Mutex mu_;
  absl::Status outcome_ ABSL_GUARDED_BY(mu_);  // Of the last Append.
  absl::Time outcome_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

}  // namespace entente::store

#endif  // COORDINATOR_STORE_OBSERVED_JOURNAL_H_
