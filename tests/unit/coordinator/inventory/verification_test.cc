// SPDX-License-Identifier: Apache-2.0
#include "coordinator/inventory/verification.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "coordinator/models/rounded_model.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::inventory {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A coordinator with a job whose round has one of the two updates it needs, then shut down.
class VerificationTest : public engine::EngineTest {
 protected:
  VerificationTest() {
    EXPECT_THAT(real_journal_->BelongTo("alliance.example"), IsOk());
    const auto fr = AttachWorker("fr-lab/w");
    AttachWorker("kr-lab/w");
    const auto job = Submit(RecipeOf(1, 2));
    EXPECT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 1), IsOk());
    job_ = job->description().id.value();
    const engine::JobView view = job->View();
    model_path_ = models_->PathOf(view.state->model);
    const auto& update = view.state->round.participants.at(WorkerId("fr-lab/w")).update;
    update_path_ = spool_->PathOf({.job = job->description().id,
                                   .round_index = 0,
                                   .attempt = 1,
                                   .worker = WorkerId("fr-lab/w"),
                                   .digest = update.digest});
  }

  // As after the coordinator's end.
  absl::StatusOr<Verification> Verify() {
    Shut();
    return VerifyDataDirectory(files_, folder_.path());
  }

  // As of a journal that is not whole, beside one model.
  static void ExpectNothingIsLeftOver(const Verification& verification, uint64_t updates) {
    EXPECT_FALSE(verification.journal_is_whole);
    EXPECT_EQ(verification.models.files, 1U);
    EXPECT_EQ(verification.updates.files, updates);
    EXPECT_EQ(verification.leftover.files, 0U);
    EXPECT_THAT(VerificationText(verification, "/data"),
                HasSubstr("nobody can tell what belongs to a job, so remove nothing"));
  }

  std::string job_;
  std::string model_path_;
  std::string update_path_;
};

TEST_F(VerificationTest, WholeDirectoryIsCounted) {
  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.damages, IsEmpty());
  EXPECT_EQ(verification.alliance, "alliance.example");
  ASSERT_EQ(verification.jobs.size(), 1U);
  EXPECT_EQ(verification.jobs[0].id, job_);
  EXPECT_EQ(verification.jobs[0].status, "running");
  EXPECT_EQ(verification.models.files, 1U);
  EXPECT_EQ(verification.updates.files, 1U);
  EXPECT_GT(verification.updates.bytes, 8U);
  EXPECT_EQ(verification.leftover.files, 0U);
  EXPECT_THAT(VerificationText(verification, "/data"),
              AllOf(HasSubstr("/data, of the alliance alliance.example"),
                    HasSubstr(absl::StrCat("job ", job_, "  running  0 of 1 round")),
                    HasSubstr("everything that the journal names is there and whole")));
}

TEST_F(VerificationTest, PausedJobIsCalledSo) {
  {
    ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(JobId(job_)));
    absl::Notification done;
    job->PauseJob("paused by a test", /*now=*/false, [&done](const absl::Status& status) {
      EXPECT_THAT(status, IsOk());
      done.Notify();
    });
    done.WaitForNotification();
  }

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  ASSERT_EQ(verification.jobs.size(), 1U);
  EXPECT_EQ(verification.jobs[0].status, "paused");
}

TEST_F(VerificationTest, RunningCoordinatorIsNamed) {
  EXPECT_THAT(VerifyDataDirectory(files_, folder_.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(absl::StrCat("locked by process ", getpid()))));
}

TEST_F(VerificationTest, NothingIsWritten) {
  Shut();
  files_.FailChange(1, FaultyFileSystem::Failure::kForGood);

  EXPECT_THAT(VerifyDataDirectory(files_, folder_.path()), IsOk());

  EXPECT_FALSE(files_.Heal()) << "something was changed";
}

TEST_F(VerificationTest, MissingModelIsNamedWithWhatToDo) {
  ASSERT_THAT(files_.Remove(model_path_), IsOk());

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.damages,
              ElementsAre(AllOf(HasSubstr(model_path_), HasSubstr("the initial model of job"),
                                HasSubstr("is missing: put it back"),
                                HasSubstr("cannot go on without it"))));
  EXPECT_THAT(VerificationText(verification, "/data"), HasSubstr("damaged: "));
}

TEST_F(VerificationTest, MissingModelOfSeveralJobsIsOfTheOneThatNeedsIt) {
  {
    // The first in the journal, and the one that does not need it any more.
    ASSERT_OK_AND_ASSIGN(const auto ended, jobs_->Find(JobId(job_)));
    ended->Cancel("not this one", [](const absl::Status&) {});
    WaitForEnd(*ended);
  }
  const std::string running = Submit(RecipeOf(1, 2))->description().id.value();
  ASSERT_THAT(files_.Remove(model_path_), IsOk());

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.damages,
              ElementsAre(AllOf(HasSubstr(running), HasSubstr("cannot go on without it"))));
}

TEST_F(VerificationTest, FlippedBitInAnUpdateIsFound) {
  std::string bytes = *ReadTextFile(files_, update_path_, 1 << 20);
  bytes.back() ^= 1;
  ASSERT_THAT(WriteTextFile(files_, update_path_, bytes), IsOk());

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.damages,
              ElementsAre(AllOf(HasSubstr(update_path_), HasSubstr("the update of fr-lab/w"),
                                HasSubstr("is damaged: its SHA-256 is"),
                                HasSubstr("asks its worker again"))));
}

TEST_F(VerificationTest, MissingUpdateIsAskedForAgain) {
  ASSERT_THAT(files_.Remove(update_path_), IsOk());

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.damages,
              ElementsAre(AllOf(HasSubstr(update_path_), HasSubstr("is missing: put it back"),
                                HasSubstr("asks its worker again"),
                                Not(HasSubstr("cannot go on without it")))));
}

TEST_F(VerificationTest, ModelsWithoutTheirJournalAreAFindingAsAtTheStart) {
  Shut();
  const std::string path = folder_.File("journal.sqlite");
  ASSERT_THAT(files_.Remove(path), IsOk());

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.damages, ElementsAre(AllOf(HasSubstr(path + " is missing, but"),
                                                      HasSubstr("put the journal back"))));
  ExpectNothingIsLeftOver(verification, 1);
}

TEST_F(VerificationTest, JournalThatLostItsLogIsAFinding) {
  const std::string path = folder_.File("journal.sqlite");
  ASSERT_OK_AND_ASSIGN(const std::string page, ReadTextFile(files_, path, 1 << 20));
  ASSERT_EQ(page.size(), 4096U) << "everything is in the log as yet";
  Shut();
  ASSERT_THAT(files_.Remove(path + "-wal"), IsOk());
  ASSERT_THAT(WriteTextFile(files_, path, page), IsOk());

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.damages, ElementsAre(AllOf(HasSubstr(path + " holds no events"),
                                                      HasSubstr("journal.sqlite-wal"))));
  EXPECT_THAT(VerificationText(verification, "/data"),
              AllOf(HasSubstr("journal   not read, "), HasSubstr("1 finding")));
}

TEST_F(VerificationTest, SpoolAheadOfTheJournalIsAFindingAsAtTheStart) {
  folder_.Write(absl::StrCat("spool/", job_, "/3-1/fr-lab+w-00"), "update");
  Restart();
  const absl::Status start = jobs_->Restore();
  ASSERT_THAT(start, StatusIs(absl::StatusCode::kDataLoss));

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.damages, ElementsAre(std::string(start.message())));
  ExpectNothingIsLeftOver(verification, 2);
}

TEST_F(VerificationTest, UpdatesOfAJobThatTheJournalDoesNotKnowAreAFinding) {
  folder_.Write("spool/toy-unknown/0-1/fr-lab+w-00", "update");

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.damages,
              ElementsAre(AllOf(HasSubstr("spool/toy-unknown holds updates of a job that the "
                                          "journal does not know"),
                                HasSubstr("put back the newest journal"))));
  ExpectNothingIsLeftOver(verification, 2);
}

TEST_F(VerificationTest, LoneJournalWithNothingInItIsAFinding) {
  const TempFolder other;
  const std::string path = other.Write("journal.sqlite", "");
  ASSERT_OK_AND_ASSIGN(const Verification empty, VerifyDataDirectory(files_, other.path()));
  EXPECT_THAT(empty.damages, ElementsAre(AllOf(HasSubstr(path + " is empty"),
                                               HasSubstr("begins without any job"))));

  other.Write("journal.sqlite", *ReadTextFile(files_, folder_.File("journal.sqlite"), 1 << 20));
  ASSERT_OK_AND_ASSIGN(const Verification blank, VerifyDataDirectory(files_, other.path()));
  EXPECT_THAT(blank.damages, ElementsAre(HasSubstr(path + " holds nothing")));
}

TEST_F(VerificationTest, LogWithoutItsJournalIsAFinding) {
  const TempFolder other;
  other.Write("journal.sqlite-wal", "all that was acknowledged");
  ASSERT_OK_AND_ASSIGN(const Verification missing, VerifyDataDirectory(files_, other.path()));
  EXPECT_THAT(missing.damages, ElementsAre(HasSubstr("is missing, but its log")));

  other.Write("journal.sqlite", "");
  ASSERT_OK_AND_ASSIGN(const Verification empty, VerifyDataDirectory(files_, other.path()));
  EXPECT_THAT(empty.damages, ElementsAre(HasSubstr("is empty, but its log")));
}

TEST_F(VerificationTest, DamagedJournalIsAFinding) {
  Shut();
  const std::string path = folder_.File("journal.sqlite");
  std::string bytes = *ReadTextFile(files_, path, 1 << 24);
  ASSERT_GT(bytes.size(), 8192U);
  bytes.resize(bytes.size() - 4096);
  ASSERT_THAT(WriteTextFile(files_, path, bytes), IsOk());

  ASSERT_OK_AND_ASSIGN(const Verification verification,
                       VerifyDataDirectory(files_, folder_.path()));

  EXPECT_THAT(verification.damages, ElementsAre(AllOf(HasSubstr(path), HasSubstr("put back"))));
  ExpectNothingIsLeftOver(verification, 1);
}

TEST_F(VerificationTest, ForeignJournalSaysNothingOfWhatIsLeftOver) {
  Shut();
  folder_.Write("journal.sqlite", std::string(4096, 'x'));
  ASSERT_THAT(files_.Remove(folder_.File("journal.sqlite-wal")), IsOk());
  folder_.Write("models/tmp-x", "12345");
  folder_.Write("notes.txt", "123");

  ASSERT_OK_AND_ASSIGN(const Verification verification,
                       VerifyDataDirectory(files_, folder_.path()));

  EXPECT_EQ(verification.damages.size(), 1U);
  EXPECT_EQ(verification.models.files, 2U);
  EXPECT_EQ(verification.updates.files, 1U);
  EXPECT_THAT(
      VerificationText(verification, "/data"),
      AllOf(HasSubstr("/data, of the alliance (not known)\n"), HasSubstr("  left over not known: "),
            HasSubstr("so remove nothing"), Not(HasSubstr("tmp-x")), Not(HasSubstr("notes.txt"))));
}

TEST_F(VerificationTest, RoundedCopyOfAModelIsAModel) {
  const Digest model = *Digest::FromHex(model_path_.substr(model_path_.rfind('/') + 1));
  ASSERT_THAT(models::RoundModel(*models_, files_, model, "test"), IsOk());

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.damages, IsEmpty());
  EXPECT_EQ(verification.models.files, 3U) << "the model, its copy, and which one that is";
  EXPECT_EQ(verification.leftover.files, 0U);
}

TEST_F(VerificationTest, WhatNobodyNamesIsLeftOver) {
  folder_.Write("models/tmp-x", "12345");
  folder_.Write("notes.txt", "123");

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.damages, IsEmpty());
  EXPECT_EQ(verification.leftover.files, 2U);
  EXPECT_EQ(verification.leftover.bytes, 8U);
  EXPECT_THAT(verification.leftover_names, ElementsAre("notes.txt", "models/tmp-x"));
  EXPECT_THAT(VerificationText(verification, "/data"),
              HasSubstr("  left over 2 files, 8 bytes\n            notes.txt\n"
                        "            models/tmp-x\n"));
}

TEST_F(VerificationTest, FileThatIsInNoAttemptOfAJobIsLeftOver) {
  folder_.Write("spool/stray", "1");
  folder_.Write(absl::StrCat("spool/", job_, "/stray"), "1");

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.leftover_names,
              ElementsAre("spool/stray", absl::StrCat("spool/", job_, "/stray")));
}

TEST_F(VerificationTest, OfManyLeftOverTheFirstAreNamed) {
  for (int i = 10; i < 22; ++i) folder_.Write(absl::StrCat("notes-", i), "1");

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_EQ(verification.leftover.files, 12U);
  EXPECT_EQ(verification.leftover_names.size(), kLeftoverNamesMax);
  EXPECT_THAT(VerificationText(verification, "/data"),
              HasSubstr("            notes-19\n            and 2 more\n"));
}

TEST_F(VerificationTest, FilesWithThePortsAreTheCoordinatorsOwn) {
  folder_.Write("port", "7443\n");
  folder_.Write("http-port", "7480\n");
  folder_.Write("port-of-call", "1");

  ASSERT_OK_AND_ASSIGN(const Verification verification, Verify());

  EXPECT_THAT(verification.leftover_names, ElementsAre("port-of-call"));
}

TEST_F(VerificationTest, BackupThatWasCutOffIsNoDamagedDirectory) {
  Shut();
  const std::string path = folder_.File("journal.sqlite");
  ASSERT_THAT(files_.Rename(path, path + ".part"), IsOk());

  EXPECT_THAT(VerifyDataDirectory(files_, folder_.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("is an incomplete backup"), HasSubstr("take it again"))));
}

TEST_F(VerificationTest, FolderWithoutAJournalIsNotFound) {
  EXPECT_THAT(VerifyDataDirectory(files_, folder_.File("nothing")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nothing/journal.sqlite")));
}

}  // namespace
}  // namespace entente::inventory
