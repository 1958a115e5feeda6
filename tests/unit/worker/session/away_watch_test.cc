// SPDX-License-Identifier: Apache-2.0
#include "worker/session/away_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "common/config/away_text.h"
#include "common/config/proto_time.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "worker/session/away_file.h"

namespace entente::worker {
namespace {

using ::testing::ElementsAre;

const absl::Time kSunday =
    absl::FromCivil(absl::CivilMinute(2026, 11, 29, 8, 0), absl::UTCTimeZone());

class RecordingSender final : public ControlSender {
 public:
  explicit RecordingSender(std::vector<std::string>* said) : said_(*said) {}
  void Send(v1::WorkerMessage message) override {
    said_.push_back(message.has_away() ? "say " + AwayText(message.away()) : "say back");
  }

 private:
  std::vector<std::string>& said_;
};

class AwayWatchTest : public testing::Test {
 protected:
  AwayWatchTest() { EXPECT_THAT(files_.CreateFolder(folder_.File("work")), IsOk()); }

  void WriteNote(absl::Duration time) {
    v1::Away away;
    away.set_reason("lent");
    *away.mutable_until() = ToProto(clock_.Now() + time);
    ASSERT_THAT(WriteAwayFile(files_, path_, away), IsOk());
  }
  // With its thread ended, so that Look is the test's.
  void StartAndStop(AwayWatch* watch) {
    watch->Start({.sender = &sender_, .give_back_tasks = [this](const std::string& reason) {
                    said_.push_back("give back: " + reason);
                  }});
    watch->Stop();
    said_.clear();
  }

  const TempFolder folder_;
  PosixFileSystem files_;
  SimulatedClock clock_{kSunday};
  const std::string path_ = AwayFilePath(folder_.File("work"));
  std::vector<std::string> said_;
  RecordingSender sender_{&said_};
};

TEST_F(AwayWatchTest, NoteIsSaidToTheCoordinatorBeforeTheTasksAreGivenBack) {
  AwayWatch watch(&files_, &clock_, path_);
  StartAndStop(&watch);
  EXPECT_EQ(watch.Sentence(), "");
  WriteNote(absl::Hours(24));

  watch.Look();
  watch.Look();

  EXPECT_THAT(said_, ElementsAre("say away until Mon 30 Nov 08:00 UTC: lent",
                                 "give back: away until Mon 30 Nov 08:00 UTC: lent"));
  EXPECT_EQ(watch.Sentence(), "away until Mon 30 Nov 08:00 UTC: lent");
}

TEST_F(AwayWatchTest, ItIsBackWhenTheNoteIsGone) {
  WriteNote(absl::Hours(24));
  AwayWatch watch(&files_, &clock_, path_);
  StartAndStop(&watch);
  ASSERT_TRUE(watch.away().has_value());
  ASSERT_THAT(files_.Remove(path_), IsOk());

  watch.Look();

  EXPECT_THAT(said_, ElementsAre("say back"));
  EXPECT_FALSE(watch.away().has_value());
}

TEST_F(AwayWatchTest, ItIsBackWhenItsTimeHasComeAndTheNoteIsRemoved) {
  WriteNote(absl::Hours(24));
  AwayWatch watch(&files_, &clock_, path_);
  StartAndStop(&watch);
  clock_.Advance(absl::Hours(24));

  watch.Look();

  EXPECT_THAT(said_, ElementsAre("say back"));
  EXPECT_FALSE(files_.Exists(path_));
}

TEST_F(AwayWatchTest, NoteThatCannotBeReadMeansAway) {
  folder_.Write("work/away.json", "on holiday");
  AwayWatch watch(&files_, &clock_, path_);

  EXPECT_EQ(watch.Sentence(), "away: the note in its work directory cannot be read");
  EXPECT_TRUE(files_.Exists(path_));
}

TEST_F(AwayWatchTest, ANewAttachmentIsToldAgain) {
  WriteNote(absl::Hours(24));
  AwayWatch watch(&files_, &clock_, path_);
  watch.SayAgain();
  EXPECT_TRUE(said_.empty()) << "nobody listens before Start";
  StartAndStop(&watch);

  watch.SayAgain();

  EXPECT_THAT(said_, ElementsAre("say away until Mon 30 Nov 08:00 UTC: lent"));
}

}  // namespace
}  // namespace entente::worker
