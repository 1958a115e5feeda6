// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/worker_terms.h"

#include <gtest/gtest.h>

#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

const WorkerId kTermsWorker("fr-lab/w");

class WorkerTermsTest : public ::testing::Test {
 protected:
  WorkerTermsTest() { recipe_.mutable_updates()->set_encoding(v1::Updates::ENCODING_INT4); }

  void Attach(const std::vector<v1::Updates::Encoding>& encodings) {
    connection_ = std::make_shared<RecordingConnection>();
    ASSERT_THAT(
        workers_.Attach(kTermsWorker, {.datasets = {"d"}, .encodings = encodings}, connection_),
        IsOk());
  }
  rounds::RoundState Ended(rounds::RoundPhase phase, rounds::ParticipantState state,
                           const std::string& update) {
    rounds::RoundState round;
    round.phase = phase;
    round.participants[kTermsWorker].state = state;
    round.participants[kTermsWorker].update.digest = Sha256Of(update);
    return round;
  }

  v1::Updates::Encoding Encoding() {
    return book_.Of(kTermsWorker, recipe_, workers_).updates.encoding();
  }

  SimulatedClock clock_;
  members::WorkerRegistry workers_{{}, &clock_, 10};
  std::shared_ptr<RecordingConnection> connection_;
  v1::Recipe recipe_;
  WorkerTermsBook book_;
};

TEST_F(WorkerTermsTest, RecipesEncodingIsForWhoCanWriteIt) {
  Attach({v1::Updates::ENCODING_INT4});
  EXPECT_EQ(Encoding(), v1::Updates::ENCODING_INT4);
  Attach({v1::Updates::ENCODING_FP32});
  EXPECT_EQ(Encoding(), v1::Updates::ENCODING_FP32);
  recipe_.mutable_updates()->set_encoding(v1::Updates::ENCODING_FP32);
  Attach({});
  EXPECT_EQ(Encoding(), v1::Updates::ENCODING_FP32);
}

TEST_F(WorkerTermsTest, TopkIsForWhoCanWriteIt) {
  recipe_.mutable_updates()->set_encoding(v1::Updates::ENCODING_TOPK);
  recipe_.mutable_updates()->mutable_topk()->set_fraction(0.5);
  Attach({v1::Updates::ENCODING_FP32});

  EXPECT_FALSE(book_.Of(kTermsWorker, recipe_, workers_).updates.has_topk());
}

TEST_F(WorkerTermsTest, WordsThatTheWorkerDoesNotKnowAreLeftOut) {
  recipe_.mutable_updates()->set_download(v1::Updates::DOWNLOAD_BF16);
  recipe_.mutable_updates()->set_compression(v1::Updates::COMPRESSION_ZSTD);
  const auto updates = [this] { return book_.Of(kTermsWorker, recipe_, workers_).updates; };
  Attach({});
  EXPECT_EQ(updates().download(), v1::Updates::DOWNLOAD_UNSPECIFIED);
  EXPECT_EQ(updates().compression(), v1::Updates::COMPRESSION_UNSPECIFIED);

  ASSERT_THAT(workers_.Attach(kTermsWorker,
                              {.downloads = {v1::Updates::DOWNLOAD_BF16},
                               .compressions = {v1::Updates::COMPRESSION_ZSTD}},
                              connection_),
              IsOk());
  EXPECT_EQ(updates().download(), v1::Updates::DOWNLOAD_BF16);
  EXPECT_EQ(updates().compression(), v1::Updates::COMPRESSION_ZSTD);
}

TEST_F(WorkerTermsTest, OnlyAcceptedUpdatesOfCommittedRoundsCount) {
  using rounds::ParticipantState;
  using rounds::RoundPhase;
  book_.Count(Ended(RoundPhase::kAborted, ParticipantState::kAccepted, "aborted"));
  book_.Count(Ended(RoundPhase::kCommitted, ParticipantState::kRefused, "refused"));
  EXPECT_TRUE(book_.Of(kTermsWorker, recipe_, workers_).counted_update.IsNone());

  book_.Count(Ended(RoundPhase::kCommitted, ParticipantState::kAccepted, "first"));
  book_.Count(Ended(RoundPhase::kCommitted, ParticipantState::kMissing, "missing"));
  EXPECT_EQ(book_.Of(kTermsWorker, recipe_, workers_).counted_update, Sha256Of("first"));
}

}  // namespace
}  // namespace entente::engine
