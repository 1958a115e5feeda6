// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/transition_log.h"

#include <gmock/gmock.h>

namespace entente::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string LinesOf(const jobs::JobTransition& transition,
                    const jobs::JobEvent& event = jobs::RoundHappened{}) {
  testing::internal::CaptureStderr();
  LogTransition(JobId("fashion-1"), event, transition);
  return testing::internal::GetCapturedStderr();
}

TEST(TransitionLogTest, EndOfARoundIsLoggedWithItsReason) {
  jobs::JobTransition transition;
  transition.ended_round.emplace();
  transition.ended_round->phase = rounds::RoundPhase::kAborted;
  transition.ended_round->round_index = 2;
  transition.ended_round->reason = "deadline passed with 1 of 3 updates";

  EXPECT_THAT(
      LinesOf(transition),
      AllOf(HasSubstr("warning round aborted"), HasSubstr("job=fashion-1"), HasSubstr("round=3"),
            HasSubstr("deadline passed with 1 of 3 updates"), Not(HasSubstr("job ended"))));
}

TEST(TransitionLogTest, EndOfTheJobIsLoggedWithItsReason) {
  jobs::JobTransition transition;
  transition.next.status = jobs::JobStatus::kFailed;
  transition.next.reason = "no attempt is left";

  EXPECT_THAT(LinesOf(transition),
              AllOf(HasSubstr("error   job ended"), HasSubstr("no attempt is left")));
}

TEST(TransitionLogTest, WhatEndsAsItShouldIsNoWarning) {
  jobs::JobTransition transition;
  transition.ended_round.emplace();
  transition.ended_round->phase = rounds::RoundPhase::kCommitted;
  transition.next.status = jobs::JobStatus::kCompleted;

  EXPECT_THAT(LinesOf(transition),
              AllOf(HasSubstr("info    round committed"), HasSubstr("info    job ended")));
}

TEST(TransitionLogTest, WhatSomebodyCancelsOrPausesIsNoWarning) {
  jobs::JobTransition transition;
  transition.ended_round.emplace();
  transition.ended_round->phase = rounds::RoundPhase::kAborted;
  transition.next.paused = true;
  EXPECT_THAT(LinesOf(transition), HasSubstr("info    round aborted"));

  transition.next.paused = false;
  transition.next.status = jobs::JobStatus::kCancelled;
  EXPECT_THAT(LinesOf(transition),
              AllOf(HasSubstr("info    round aborted"), HasSubstr("info    job ended")));
}

TEST(TransitionLogTest, PauseAndResumeSayByWhomAndWhy) {
  EXPECT_THAT(LinesOf({}, jobs::JobPaused{.reason = "paused by s: the power is cut"}),
              AllOf(HasSubstr("info    job paused"), HasSubstr("job=fashion-1"),
                    HasSubstr("paused by s: the power is cut")));
  EXPECT_THAT(LinesOf({}, jobs::JobResumed{.reason = "resumed by s"}),
              AllOf(HasSubstr("info    job resumed"), HasSubstr("job=fashion-1"),
                    HasSubstr("resumed by s")));
}

TEST(TransitionLogTest, EveryLineCanSayJobRoundAndTrace) {
  const JobDescription job{
      .id = JobId("fashion-1"),
      .trace = *TraceContext::Parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")};
  testing::internal::CaptureStderr();
  {
    const log::Scope scope(LogFieldsOf(job, 2));
    log::Info("something");
  }
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      HasSubstr("something  job=fashion-1  round=3  trace=4bf92f3577b34da6a3ce929d0e0e4736"));
}

TEST(TransitionLogTest, SetbackNamesWorkerRoundAndReason) {
  testing::internal::CaptureStderr();
  LogSetback("task failed", JobId("fashion-1"), 2, WorkerId("fr-lab/w"), "no such data set");

  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("task failed"), HasSubstr("job=fashion-1"), HasSubstr("round=3"),
                    HasSubstr("worker=fr-lab/w"), HasSubstr("no such data set")));
}

TEST(TransitionLogTest, AnythingElseIsForDebugging) {
  EXPECT_EQ(LinesOf(jobs::JobTransition{}), "");
}

}  // namespace
}  // namespace entente::engine
