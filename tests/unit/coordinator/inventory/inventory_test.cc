// SPDX-License-Identifier: Apache-2.0
#include "coordinator/inventory/inventory.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::inventory {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class InventoryTest : public engine::EngineTest {};

TEST_F(InventoryTest, EmptyJournalHoldsNothing) {
  ASSERT_OK_AND_ASSIGN(const Inventory inventory, TakeInventory(*journal_));

  EXPECT_TRUE(inventory.jobs().empty());
  EXPECT_EQ(inventory.event_count(), 0U);
}

TEST_F(InventoryTest, FoldsToWhatTheEngineHas) {
  const auto worker = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(2, 1));
  ASSERT_THAT(Upload("fr-lab/w", worker->WaitForTask(0), 1, 1), IsOk());
  worker->WaitForTask(1);
  ASSERT_THAT(Upload("fr-lab/w", worker->WaitForTask(1), 2, 2), IsOk());
  const engine::JobView view = WaitForEnd(*job);

  ASSERT_OK_AND_ASSIGN(const Inventory inventory, TakeInventory(*journal_));

  ASSERT_EQ(inventory.jobs().size(), 1U);
  const InventoriedJob& record = inventory.jobs().front();
  EXPECT_EQ(record.id, job->description().id);
  EXPECT_EQ(record.state, *view.state);
  EXPECT_EQ(record.event_count, inventory.event_count());
  // The initial model and those of two rounds; nothing is needed of a job that has ended.
  const std::vector<NamedFile> files = record.Files();
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].path, "models/" + view.state->model.ToHex());
  EXPECT_EQ(files[0].what, "the model after round 2");
  for (const NamedFile& file : files) {
    EXPECT_FALSE(file.is_needed);
    EXPECT_TRUE(files_.Exists(folder_.File(file.path))) << file.path;
  }
}

TEST_F(InventoryTest, RunningJobNeedsItsModelAndTheUpdatesOfTheRoundInFlight) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  Submit(RecipeOf(1, 2));
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 1), IsOk());

  ASSERT_OK_AND_ASSIGN(const Inventory inventory, TakeInventory(*journal_));

  const std::vector<NamedFile> files = inventory.jobs().front().Files();
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].what, "the initial model");
  EXPECT_EQ(files[1].what, "the update of fr-lab/w in round 1");
  for (const NamedFile& file : files) {
    EXPECT_TRUE(file.is_needed);
    EXPECT_EQ(*Sha256OfFile(files_, folder_.File(file.path)), file.digest);
  }
}

TEST(InventoryFoldTest, EventThatDoesNotFollowIsNamed) {
  Inventory inventory;
  store::JournalEntry entry{
      .job = JobId("a"), .sequence = 1, .at = absl::UnixEpoch(), .record = {}};
  entry.record.mutable_cancelled()->set_reason("why");

  EXPECT_THAT(inventory.Add(entry),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("event 1 of job a"), HasSubstr("not submitted"),
                             HasSubstr("put back a copy of the whole data directory"))));
  entry.sequence = 7;
  EXPECT_THAT(inventory.Add(entry),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("comes after event 0")));
}

TEST(InventoryFoldTest, EventThatIsMalformedIsNamed) {
  Inventory inventory;
  store::JournalEntry entry{
      .job = JobId("a"), .sequence = 1, .at = absl::UnixEpoch(), .record = {}};
  entry.record.mutable_round()->mutable_update_accepted()->set_digest("short");

  EXPECT_THAT(inventory.Add(entry),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("event 1 of job a"), HasSubstr("not 32 bytes"))));
}

}  // namespace
}  // namespace entente::inventory
