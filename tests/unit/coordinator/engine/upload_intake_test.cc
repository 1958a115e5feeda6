// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/upload_intake.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/config/proto_time.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kUploader[] = "fr-lab/w";

class UploadIntakeTest : public EngineTest {
 protected:
  UploadIntakeTest()
      : worker_(AttachWorker(kUploader)),
        job_(Submit(RecipeOf(2, 1))),
        task_(worker_->WaitForTask(0)) {}
  ~UploadIntakeTest() override { job_.reset(); }

  // What the submitter reads of the worker.
  rounds::Participant FirstRoundsParticipant() const {
    return job_->Rounds()[0]->participants.at(WorkerId(kUploader));
  }
  void ExpectRefusedFor(const std::string& reason) {
    WaitFor(*job_, [this](const JobView&) {
      return FirstRoundsParticipant().state == rounds::ParticipantState::kRefused;
    });
    EXPECT_THAT(FirstRoundsParticipant().reason, HasSubstr(reason));
  }

  const std::shared_ptr<RecordingConnection> worker_;
  std::shared_ptr<JobEngine> job_;
  const v1::Task task_;
};

TEST_F(UploadIntakeTest, SameUpdateSentAgainIsAcknowledgedAndCountsOnce) {
  ASSERT_THAT(Upload(kUploader, task_, 1, 1), IsOk());
  EXPECT_THAT(Upload(kUploader, task_, 1, 1), IsOk());

  EXPECT_EQ(worker_->WaitForTask(1).key().round_index(), 1U);
  EXPECT_EQ(job_->View().bytes_up, UpdateBytes(1, 1).size());
}

TEST_F(UploadIntakeTest, WhatWasAcceptedIsNotTakenInForEver) {
  ASSERT_THAT(Upload(kUploader, task_, 1, 1), IsOk());
  v1::UploadHeader header = UploadHeaderOf(task_, UpdateBytes(1, 1));
  // Who does not know it yet may send all of it once more.
  ASSERT_OK_AND_ASSIGN(const auto again, uploads_->OpenUpdate(WorkerId(kUploader), header));
  EXPECT_EQ(again->offset(), header.total_bytes());
  EXPECT_THAT(again->Append(0, "12345678"), IsOk());
  for (const uint64_t bad : {uint64_t{4}, header.total_bytes(), ~uint64_t{0}}) {
    EXPECT_THAT(again->Append(bad, "5678"), StatusIs(absl::StatusCode::kOutOfRange)) << bad;
  }
  header.set_total_bytes(uint64_t{1} << 63);
  EXPECT_THAT(uploads_->OpenUpdate(WorkerId(kUploader), header),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(UploadIntakeTest, NormOfAnAcceptedUpdateIsTheSameAfterARestart) {
  ASSERT_THAT(Upload(kUploader, task_, 3, -4), IsOk());
  WaitFor(*job_, [](const JobView& view) { return view.state->rounds_committed == 1; });
  EXPECT_EQ(FirstRoundsParticipant().update.norm, 5.0);
  const JobId id = job_->description().id;
  job_.reset();

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());
  job_ = jobs_->Find(id).value();

  EXPECT_EQ(FirstRoundsParticipant().update.norm, 5.0);
}

// A commit whose sync failed may be in the journal after a crash: then it must have its file.
TEST_F(UploadIntakeTest, AnUpdateThatTheJournalCouldNotTakeStaysInTheSpool) {
  journal_->accepted_failures = 1;

  EXPECT_THAT(Upload(kUploader, task_, 1, 1), StatusIs(absl::StatusCode::kUnavailable));

  EXPECT_TRUE(files_.Exists(spool_->PathOf({.job = job_->description().id,
                                            .round_index = 0,
                                            .attempt = 1,
                                            .worker = WorkerId(kUploader),
                                            .digest = Sha256Of(UpdateBytes(1, 1))})));
  EXPECT_THAT(Upload(kUploader, task_, 1, 1), IsOk());
}

TEST_F(UploadIntakeTest, NanIsRefusedWithTheTensorsName) {
  EXPECT_THAT(Upload(kUploader, task_, NAN, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"w\"")));
  ExpectRefusedFor("\"w\"");
}

TEST_F(UploadIntakeTest, RefusedUpdateHasItsDigestAfterARestartToo) {
  const std::string bytes = UpdateBytes(NAN, 1);
  const rounds::AnnouncedUpdate update = {.digest = Sha256Of(bytes), .bytes = bytes.size()};
  ASSERT_THAT(Upload(kUploader, task_, NAN, 1), StatusIs(absl::StatusCode::kInvalidArgument));
  ExpectRefusedFor("\"w\"");
  EXPECT_EQ(FirstRoundsParticipant().refused, update);
  const JobId id = job_->description().id;
  job_.reset();

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());
  job_ = jobs_->Find(id).value();

  EXPECT_EQ(FirstRoundsParticipant().refused, update);
}

TEST_F(UploadIntakeTest, RefusedUpdateIsNotSyncedBefore) {
  files_.FailSyncs(".part", 1);

  EXPECT_THAT(Upload(kUploader, task_, NAN, 1), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(UploadIntakeTest, UpdateThatCouldNotBeSyncedIsNotAcknowledgedAndMayBeSentAgain) {
  files_.FailSyncs(".part", 1);

  EXPECT_THAT(Upload(kUploader, task_, 1, 1), StatusIs(absl::StatusCode::kUnavailable));

  EXPECT_EQ(job_->View().bytes_up, 0U);
  EXPECT_FALSE(files_.Exists(spool_->PathOf({.job = job_->description().id,
                                             .round_index = 0,
                                             .attempt = 1,
                                             .worker = WorkerId(kUploader),
                                             .digest = Sha256Of(UpdateBytes(1, 1))})));
  EXPECT_THAT(Upload(kUploader, task_, 1, 1), IsOk());
}

TEST_F(UploadIntakeTest, InfinityAndValueOutOfBoundsAreRefused) {
  EXPECT_THAT(Upload(kUploader, task_, 1, std::numeric_limits<float>::infinity()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(UploadIntakeTest, ValueOutOfBoundsIsRefused) {
  EXPECT_THAT(Upload(kUploader, task_, 257, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("257")));
}

TEST_F(UploadIntakeTest, ZeroExamplesAreRefused) {
  EXPECT_THAT(Upload(kUploader, task_, 1, 1, /*examples=*/0),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("zero examples")));
  ExpectRefusedFor("zero examples");
}

TEST_F(UploadIntakeTest, WrongSizeIsRefusedBeforeItsBytesTravel) {
  EXPECT_THAT(UploadRaw(kUploader, task_, "short", Sha256Of("short"), 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("it has 5 bytes")));
  ExpectRefusedFor("it has 5 bytes");
  EXPECT_EQ(FirstRoundsParticipant().refused,
            (rounds::AnnouncedUpdate{.digest = Sha256Of("short"), .bytes = 5}));
}

TEST_F(UploadIntakeTest, WrongDigestIsDataLossAndMayBeSentAgain) {
  EXPECT_THAT(UploadRaw(kUploader, task_, UpdateBytes(1, 1), Sha256Of("other"), 10),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Upload(kUploader, task_, 1, 1), IsOk());
}

TEST_F(UploadIntakeTest, UploadThatItsRoundDidNotWaitForIsLate) {
  const std::string bytes = UpdateBytes(1, 1);
  const v1::UploadHeader header = UploadHeaderOf(task_, bytes);
  ASSERT_OK_AND_ASSIGN(const auto upload, uploads_->OpenUpdate(WorkerId(kUploader), header));
  ASSERT_THAT(upload->Append(0, bytes), IsOk());
  job_->Cancel("enough", [](absl::Status) {});
  WaitForEnd(*job_);

  absl::Status sealed;
  upload->Seal([&sealed](absl::Status status) { sealed = std::move(status); });

  EXPECT_THAT(sealed, StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(UploadIntakeTest, LateUpdateIsToldHowItsRoundEndedAndARepeatedOneIsAcknowledged) {
  v1::Recipe recipe = RecipeOf(2, 1);
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::ZeroDuration());
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(recipe);
  const v1::Task task = kr->WaitForTask(0);  // Both workers'.
  ASSERT_THAT(Upload("fr-lab/w", task, 1, 1), IsOk());
  WaitFor(*job, [](const JobView& view) { return view.state->rounds_committed == 1; });

  EXPECT_THAT(Upload("kr-lab/w", task, 2, 2),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("for round 1 attempt 1, which is committed (committed with "
                                 "fr-lab/w; aggregated), but round 2 attempt 1 is in flight")));
  EXPECT_THAT(Upload("fr-lab/w", task, 1, 1), IsOk());
  EXPECT_EQ(job->View().bytes_up, UpdateBytes(1, 1).size());
}

TEST_F(UploadIntakeTest, WrongBaseModelIsRefusedAndNamesTheRightOne) {
  v1::Task task = task_;
  task.set_model_digest(Sha256Of("stale").ToHex());

  EXPECT_THAT(Upload(kUploader, task, 1, 1),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("starts from " + task_.model_digest())));
}

TEST_F(UploadIntakeTest, WrongRoundAndAttemptAreRefused) {
  v1::Task round = task_;
  round.mutable_key()->set_round_index(1);
  v1::Task attempt = task_;
  attempt.mutable_key()->set_attempt(2);

  EXPECT_THAT(Upload(kUploader, round, 1, 1), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Upload(kUploader, attempt, 1, 1),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("attempt 2")));
}

TEST_F(UploadIntakeTest, WorkerOutsideTheCohortIsRefused) {
  EXPECT_THAT(Upload("kr-lab/w", task_, 1, 1), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(UploadIntakeTest, FullDiskRefusesWithTheNumbersAndLosesNothing) {
  files_.bytes_left = 10;
  EXPECT_THAT(Upload(kUploader, task_, 1, 1), StatusIs(absl::StatusCode::kResourceExhausted));

  files_.bytes_left = int64_t{1} << 60;
  EXPECT_THAT(Upload(kUploader, task_, 1, 1), IsOk());
}

TEST_F(UploadIntakeTest, UpdateMustLeaveRoomForTheModelThatIsMadeOfIt) {
  const std::string bytes = UpdateBytes(1, 1);
  const v1::UploadHeader header = UploadHeaderOf(task_, bytes);
  const auto size = static_cast<int64_t>(bytes.size());  // The model's as well.

  files_.bytes_left = 2 * size - 1;
  EXPECT_THAT(uploads_->OpenUpdate(WorkerId(kUploader), header),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr(absl::StrCat(" free on the disk and ", size, " must stay free"))));

  files_.bytes_left = 2 * size;
  EXPECT_THAT(uploads_->OpenUpdate(WorkerId(kUploader), header), IsOk());
}

TEST_F(UploadIntakeTest, DiskThatFillsUpInTheMiddleKeepsWhatCame) {
  const std::string bytes = UpdateBytes(1, 1);
  const v1::UploadHeader header = UploadHeaderOf(task_, bytes);
  {
    ASSERT_OK_AND_ASSIGN(const auto upload, uploads_->OpenUpdate(WorkerId(kUploader), header));
    ASSERT_THAT(upload->Append(0, bytes.substr(0, 7)), IsOk());
    files_.FailWrites(".part", 1);
    EXPECT_THAT(upload->Append(7, bytes.substr(7)),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("No space left")));
  }
  EXPECT_EQ(spool_->space().present_bytes(), 7U);
  EXPECT_EQ(spool_->space().promised_bytes(), 0U);

  ASSERT_OK_AND_ASSIGN(const auto again, uploads_->OpenUpdate(WorkerId(kUploader), header));

  EXPECT_EQ(again->offset(), 7U);
  EXPECT_THAT(again->Append(7, bytes.substr(7)), IsOk());
}

TEST_F(UploadIntakeTest, OtherUpdateOfTheWorkerTakesThePlaceOfItsUnfinishedOne) {
  const std::string bytes = UpdateBytes(1, 1);
  {
    ASSERT_OK_AND_ASSIGN(const auto cut,
                         uploads_->OpenUpdate(WorkerId(kUploader), UploadHeaderOf(task_, bytes)));
    ASSERT_THAT(cut->Append(0, bytes.substr(0, 7)), IsOk());
  }

  ASSERT_OK_AND_ASSIGN(
      const auto other,
      uploads_->OpenUpdate(WorkerId(kUploader), UploadHeaderOf(task_, UpdateBytes(2, 2))));

  EXPECT_EQ(other->offset(), 0U);
  EXPECT_EQ(spool_->space().present_bytes(), 0U);
}

TEST_F(UploadIntakeTest, UploadContinuesWhereItStood) {
  const std::string bytes = UpdateBytes(1, 1);
  v1::UploadHeader header;
  *header.mutable_update()->mutable_key() = task_.key();
  header.mutable_update()->set_base_model_digest(task_.model_digest());
  header.mutable_update()->set_examples(1);
  header.set_digest(Sha256Of(bytes).ToHex());
  header.set_total_bytes(bytes.size());
  {
    ASSERT_OK_AND_ASSIGN(const auto cut, uploads_->OpenUpdate(WorkerId(kUploader), header));
    ASSERT_THAT(cut->Append(0, bytes.substr(0, 7)), IsOk());
  }

  ASSERT_OK_AND_ASSIGN(const auto again, uploads_->OpenUpdate(WorkerId(kUploader), header));

  EXPECT_EQ(again->offset(), 7U);
  EXPECT_THAT(again->Append(3, "x"), StatusIs(absl::StatusCode::kOutOfRange));
}

TEST_F(UploadIntakeTest, ChunkForARoundThatIsOverSaysSo) {
  const std::string bytes = UpdateBytes(1, 1);
  ASSERT_OK_AND_ASSIGN(const auto upload,
                       uploads_->OpenUpdate(WorkerId(kUploader), UploadHeaderOf(task_, bytes)));
  job_->Cancel("enough", [](const absl::Status&) {});
  WaitForEnd(*job_);
  ASSERT_TRUE(Eventually([&] {
    return !files_.Exists(folder_.File("spool/" + job_->description().id.value() + "/0-1"));
  }));

  EXPECT_THAT(upload->Append(0, bytes), StatusIs(absl::StatusCode::kFailedPrecondition));
}

// A worker throws away what is refused.
TEST_F(UploadIntakeTest, DamagedBaseModelIsNotHeldAgainstAnUpdate) {
  const std::string bytes = UpdateBytes(1, 1);
  const std::string path = models_->PathOf(*Digest::FromHex(task_.model_digest()));
  ASSERT_OK_AND_ASSIGN(const std::string model, ReadTextFile(files_, path, 1 << 20));
  const auto says_whose_fault = StatusIs(
      absl::StatusCode::kUnavailable,
      HasSubstr("the coordinator cannot read the round's base model " + task_.model_digest()));
  {
    ASSERT_OK_AND_ASSIGN(const auto upload,
                         uploads_->OpenUpdate(WorkerId(kUploader), UploadHeaderOf(task_, bytes)));
    ASSERT_THAT(upload->Append(0, bytes), IsOk());
    ASSERT_THAT(WriteTextFile(files_, path, "damaged by the disk"), IsOk());

    absl::Status sealed;
    upload->Seal([&sealed](absl::Status status) { sealed = std::move(status); });
    EXPECT_THAT(sealed, says_whose_fault);
  }
  EXPECT_THAT(uploads_->OpenUpdate(WorkerId(kUploader), UploadHeaderOf(task_, bytes)),
              says_whose_fault);
  EXPECT_NE(FirstRoundsParticipant().state, rounds::ParticipantState::kRefused);

  ASSERT_THAT(WriteTextFile(files_, path, model), IsOk());
  EXPECT_THAT(Upload(kUploader, task_, 1, 1), IsOk());
}

TEST_F(UploadIntakeTest, WrongSizeIsToldBothRightOnes) {
  v1::Recipe recipe = RecipeOf(1, 1);
  recipe.mutable_updates()->set_encoding(v1::Updates::ENCODING_BF16);
  const auto job = Submit(recipe);
  const v1::Task task = worker_->WaitForTask(1);

  EXPECT_THAT(UploadRaw(kUploader, task, "short", Sha256Of("short"), 1),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("it has 5 bytes, but an update of this model has 68 (bf16) or 72 "
                                 "(fp32)")));
}

}  // namespace
}  // namespace entente::engine
