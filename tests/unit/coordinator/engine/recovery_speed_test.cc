// SPDX-License-Identifier: Apache-2.0
// How long a coordinator with a long history takes to start; the figures of a release build are in
// docs/reliability.md.

#include <gmock/gmock.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "coordinator/store/journal_schema.h"
#include "coordinator/store/record_converter.h"
#include "coordinator/store/sqlite_connection.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

constexpr int kEventCount = 100'000;
// Of the processor, not of the clock, for the machine may be busy. Without optimization and with
// sanitizers it takes ten times as long and more.
#ifdef NDEBUG
constexpr absl::Duration kLimit = absl::Seconds(2);
#else
constexpr absl::Duration kLimit = absl::Seconds(40);
#endif

absl::Duration ProcessorTime() {
  timespec used = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return absl::DurationFromTimespec(used);
}

// Writes rows as SqliteJournal does, but all in one transaction.
class BulkJournal {
 public:
  BulkJournal(FileSystem* files, const std::string& path)
      : disk_(files, store::SqliteFileSystem::Access::kReadWrite),
        database_(*store::SqliteConnection::Open(&disk_, path)) {
    EXPECT_THAT(database_->Execute("BEGIN"), IsOk());
  }
  ~BulkJournal() { EXPECT_THAT(database_->Execute("COMMIT"), IsOk()); }

  void Add(const storage::v1::JobRecord& record) {
    const std::string bytes = record.SerializeAsString();
    ++sequence_;
    const store::JournalRow row{.job = "long-job",
                                .sequence = sequence_,
                                .at_us = 1'700'000'000'000'000 + sequence_,
                                .record = bytes};
    auto statement = database_->Prepare(
        "INSERT INTO events (job, sequence, at_us, record, checksum) VALUES (?, ?, ?, ?, ?)");
    ASSERT_THAT(statement, IsOk());
    statement->BindText(1, row.job);
    statement->BindInteger(2, row.sequence);
    statement->BindInteger(3, row.at_us);
    statement->BindBlob(4, row.record);
    statement->BindInteger(5, store::ChecksumOf(row));
    ASSERT_EQ(statement->Step(), SQLITE_DONE);
  }

  int64_t sequence() const { return sequence_; }

 private:
  store::SqliteFileSystem disk_;
  const std::unique_ptr<store::SqliteConnection> database_;
  int64_t sequence_ = 0;
};

class RecoverySpeedTest : public EngineTest {
 protected:
  // A job whose rounds each have `cohort_size` workers, all of which deliver.
  void WriteHistory(int cohort_size) {
    std::vector<WorkerId> cohort;
    for (int i = 0; i < cohort_size; ++i) cohort.emplace_back(absl::StrCat("fr-lab/w-", 100 + i));
    const int rounds = kEventCount / (2 + 2 * cohort_size);
    BulkJournal journal(&files_, folder_.File("journal.sqlite"));
    storage::v1::JobRecord submitted;
    *submitted.mutable_submitted()->mutable_recipe() =
        RecipeOf(static_cast<uint32_t>(rounds), static_cast<uint32_t>(cohort_size));
    submitted.mutable_submitted()->set_initial_model(Sha256Of("initial").Raw());
    journal.Add(submitted);
    for (int round = 0; round < rounds; ++round) {
      const auto add = [&journal, round](rounds::RoundEvent event) {
        journal.Add(store::ToRecord(
            jobs::RoundHappened{static_cast<uint32_t>(round), 1, std::move(event)}));
      };
      add(rounds::Opened{cohort});
      for (const WorkerId& worker : cohort) add(rounds::TaskAccepted{worker});
      const Digest update = Sha256Of(absl::StrCat("update ", round));
      rounds::Aggregated aggregated{
          .model = Sha256Of(absl::StrCat("model ", round)), .optimizer_state = {}, .weights = {}};
      for (const WorkerId& worker : cohort) {
        add(rounds::UpdateAccepted{worker, {.digest = update, .bytes = 8, .examples = 10}});
        aggregated.weights[worker] = 1.0 / cohort_size;
      }
      add(std::move(aggregated));
    }
    EXPECT_GE(journal.sequence(), kEventCount * 9 / 10);
  }

  void ExpectFastRestore() {
    const absl::Duration before = ProcessorTime();
    Open();
    ASSERT_THAT(jobs_->Restore(), IsOk());
    const absl::Duration taken = ProcessorTime() - before;

    EXPECT_EQ(jobs_->All().front()->View().state->status, jobs::JobStatus::kCompleted);
    EXPECT_LT(taken, kLimit);
    printf("%d events restored in %s of the processor\n", kEventCount,
           absl::FormatDuration(taken).c_str());
  }
};

TEST_F(RecoverySpeedTest, HundredThousandEventsOfManyRounds) {
  Shut();
  WriteHistory(1);

  ExpectFastRestore();
}

TEST_F(RecoverySpeedTest, HundredThousandEventsOfLargeRounds) {
  Shut();
  WriteHistory(20);

  ExpectFastRestore();
}

}  // namespace
}  // namespace entente::engine
