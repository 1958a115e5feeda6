// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/notification.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace entente::notify {
namespace {

const absl::Time kSomeTime = absl::FromUnixSeconds(1'700'000'000);

TEST(NotificationTest, SaysWhatHappenedToWhichRoundOfWhichJob) {
  const Notification aborted{.id = "msg_1",
                             .event = Event::kRoundAborted,
                             .at = kSomeTime,
                             .job = JobId("mnist-k3x9qa"),
                             .round_index = 2,
                             .attempt = 1,
                             .reason = "deadline passed with 1 of 3 updates",
                             .trace = "4bf92f3577b34da6a3ce929d0e0e4736"};

  EXPECT_EQ(ToJson(aborted, "spiffe://alliance.example/coordinator/main"),
            R"({"id":"msg_1","event":"round_aborted","time":"2023-11-14T22:13:20+00:00",)"
            R"("coordinator":"spiffe://alliance.example/coordinator/main","job":"mnist-k3x9qa",)"
            R"("round":3,"attempt":1,"reason":"deadline passed with 1 of 3 updates",)"
            R"("trace":"4bf92f3577b34da6a3ce929d0e0e4736"})");
}

TEST(NotificationTest, LeavesOutWhatDoesNotApply) {
  const auto json = nlohmann::json::parse(ToJson(
      {.id = "msg_2", .event = Event::kWorkerGone, .at = kSomeTime, .worker = WorkerId("a/w")},
      "c"));

  EXPECT_EQ(json["worker"], "a/w");
  EXPECT_FALSE(json.contains("job"));
  EXPECT_FALSE(json.contains("round"));
  EXPECT_FALSE(json.contains("trace"));
}

TEST(NotificationTest, AHostileReasonStaysTextAndIsCut) {
  const std::string reason = "\"},\n{\xff<script>" + std::string(2000, 'x');
  const std::string body =
      ToJson({.id = "msg_3", .event = Event::kJobFailed, .at = kSomeTime, .reason = reason}, "c");

  EXPECT_EQ(body.find('\n'), std::string::npos);
  EXPECT_LE(nlohmann::json::parse(body)["reason"].get<std::string>().size(), 510U);
}

TEST(NotificationTest, EventsAreCalledWhatTheConfigurationCallsThem) {
  EXPECT_EQ(EventName(Event::kJobFinished), "job_finished");
  EXPECT_EQ(EventName(Event::kJobFailed), "job_failed");
  EXPECT_EQ(EventName(Event::kJobCancelled), "job_cancelled");
  EXPECT_EQ(EventName(Event::kRoundAborted), "round_aborted");
  EXPECT_EQ(EventName(Event::kWorkerGone), "worker_gone");
}

}  // namespace
}  // namespace entente::notify
