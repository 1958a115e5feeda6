// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_OBSERVED_JOURNAL_H_
#define COORDINATOR_STORE_OBSERVED_JOURNAL_H_

#include <functional>
#include <utility>

#include "coordinator/store/journal.h"

namespace entente::store {

// Another journal, and somebody who is told of every entry once it is durable. Thread-safe.
class ObservedJournal final : public Journal {
 public:
  using Observer = std::function<void(const JournalEntry& entry)>;

  // `journal` is borrowed.
  explicit ObservedJournal(Journal* journal) : journal_(*journal) {}

  // Set once, before the first Append. Called on the threads that append; must not block.
  void SetObserver(Observer observer) { observer_ = std::move(observer); }

  absl::Status Append(const JournalEntry& entry) override;
  absl::Status Replay(
      const std::function<absl::Status(const JournalEntry&)>& visit) const override {
    return journal_.Replay(visit);
  }

 private:
  Journal& journal_;
  Observer observer_;  // Constant after SetObserver.
};

}  // namespace entente::store

#endif  // COORDINATOR_STORE_OBSERVED_JOURNAL_H_
