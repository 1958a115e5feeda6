// SPDX-License-Identifier: Apache-2.0
#include "cli/coordinator_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "common/base/file_system.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/cli/fake_coordinator.h"
#include "tests/unit/cli/job_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class CoordinatorClientTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<CoordinatorClient>> Connect(const ConnectionTarget& target) {
    return CoordinatorClient::Create(target, absl::Seconds(20),
                                     {.clock = &clock_, .interruption = &interruption_});
  }

  TempFolder folder_;
  SystemClock clock_;
  Interruption interruption_;
  FakeCoordinator coordinator_{folder_};
};

TEST_F(CoordinatorClientTest, AnswersComeThroughMutualTls) {
  {
    absl::MutexLock lock(&coordinator_.state().mu);
    coordinator_.state().jobs = {RunningJob(2)};
  }
  ASSERT_OK_AND_ASSIGN(const auto client, Connect(coordinator_.target()));

  ASSERT_OK_AND_ASSIGN(const v1::Job job, client->GetJob("fashion-mnist-k3x9qa"));

  EXPECT_EQ(job.rounds_committed(), 2u);
}

TEST_F(CoordinatorClientTest, ErrorsOfTheCoordinatorKeepTheirCodeAndSentence) {
  ASSERT_OK_AND_ASSIGN(const auto client, Connect(coordinator_.target()));
  EXPECT_THAT(client->GetJob("nobody"),
              StatusIs(absl::StatusCode::kNotFound, "there is no job nobody"));

  {
    absl::MutexLock lock(&coordinator_.state().mu);
    coordinator_.state().refuse_all = absl::PermissionDeniedError("no");
  }
  EXPECT_THAT(client->ListJobs(), StatusIs(absl::StatusCode::kPermissionDenied, "no"));
}

TEST_F(CoordinatorClientTest, StoppedCoordinatorIsSaidToRefuseConnections) {
  coordinator_.Stop();
  ASSERT_OK_AND_ASSIGN(const auto client, Connect(coordinator_.target()));

  EXPECT_THAT(client->ListJobs(),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("cannot reach the coordinator " + coordinator_.address()),
                             HasSubstr("refuses"))));
}

TEST_F(CoordinatorClientTest, ConnectionThatWasLostIsSaidInOurWords) {
  ASSERT_OK_AND_ASSIGN(const auto client, Connect(coordinator_.target()));
  ASSERT_THAT(client->ListJobs(), IsOk());
  coordinator_.Stop();
  ASSERT_THAT(client->ListJobs(), StatusIs(absl::StatusCode::kUnavailable));
  coordinator_.Start();

  // gRPC still sits out its backoff and fails the call with what it remembers.
  const absl::Status status = client->ListJobs().status();

  EXPECT_THAT(std::string(status.message()),
              AnyOf("", "lost the connection to the coordinator " + coordinator_.address() +
                            ", which can be reached again"));
}

// A channel that failed once fails calls without a try until it is connected, and between calls
// nobody sees to its handshake: a watch stayed without its coordinator so for as long as it ran.
TEST_F(CoordinatorClientTest, CallAfterTheOneThatSaidSoFindsTheCoordinator) {
  for (int restarts = 0; restarts < 5; ++restarts) {
    ASSERT_OK_AND_ASSIGN(const auto client, Connect(coordinator_.target()));
    ASSERT_THAT(client->ListJobs(), IsOk());
    coordinator_.Stop();
    ASSERT_TRUE(Eventually(
        [&] { return absl::StrContains(client->ListJobs().status().message(), "refuses"); }));
    coordinator_.Start();

    if (client->ListJobs().ok()) continue;  // It found it at once, which is fine as well.
    EXPECT_THAT(client->ListJobs(), IsOk());
  }
}

TEST_F(CoordinatorClientTest, NameThatDoesNotResolveIsSaid) {
  ConnectionTarget target = coordinator_.target();
  target.coordinator = "no-such-host.invalid:7443";
  ASSERT_OK_AND_ASSIGN(const auto client, Connect(target));

  EXPECT_THAT(client->ListJobs(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no-such-host.invalid")));
}

TEST_F(CoordinatorClientTest, CoordinatorOfAnotherAuthorityIsRefused) {
  const TempFolder other_folder;
  const FakeCoordinator other(other_folder);
  ConnectionTarget target = coordinator_.target();
  target.tls.authority = other.client_tls().authority;
  ASSERT_OK_AND_ASSIGN(const auto client, Connect(target));

  EXPECT_THAT(client->ListJobs(), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(CoordinatorClientTest, MissingKeyIsNamedBeforeAnythingIsDialled) {
  ConnectionTarget target = coordinator_.target();
  target.tls.private_key = folder_.File("missing.key");

  EXPECT_THAT(Connect(target),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("missing.key")));
}

TEST_F(CoordinatorClientTest, InterruptionCancelsCalls) {
  ASSERT_OK_AND_ASSIGN(const auto client, Connect(coordinator_.target()));
  interruption_.Trigger();

  EXPECT_THAT(client->ListJobs(), StatusIs(absl::StatusCode::kCancelled, "interrupted"));
}

TEST_F(CoordinatorClientTest, WatchHandsOverEveryJob) {
  {
    absl::MutexLock lock(&coordinator_.state().mu);
    coordinator_.state().watch_streams = {
        {RunningJob(0), RunningJob(1), EndedJob(v1::JOB_STATE_COMPLETED, "")}};
  }
  ASSERT_OK_AND_ASSIGN(const auto client, Connect(coordinator_.target()));
  int jobs = 0;

  EXPECT_THAT(client->WatchJob("x", [&jobs](const v1::Job&) { ++jobs; }), IsOk());

  EXPECT_EQ(jobs, 3);
}

}  // namespace
}  // namespace entente::cli
