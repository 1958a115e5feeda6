// SPDX-License-Identifier: Apache-2.0
#include "common/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <string>
#include <thread>

#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// Each in a process of its own, whose standard error the matcher gets: formats are set once in a
// program's life.
#define EXPECT_LOGGED(format, level, statement, matcher) \
  EXPECT_EXIT(                                           \
      {                                                  \
        log::Configure(format, level);                   \
        statement;                                       \
        std::exit(0);                                    \
      },                                                 \
      ExitedWithCode(0), matcher)

TEST(LogDeathTest, TextIsASentenceThenFields) {
  EXPECT_LOGGED(
      log::Format::kText, log::Level::kInfo,
      log::Info("update accepted", {{"worker", "fr-lab/gpu-1"}, {"bytes", 12}}),
      AllOf(HasSubstr("info"), EndsWith("update accepted  worker=fr-lab/gpu-1  bytes=12\n")));
}

TEST(LogDeathTest, TextValuesAreQuotedWhereTheyMustBe) {
  EXPECT_LOGGED(log::Format::kText, log::Level::kInfo,
                log::Info("refused", {{"reason", "too late"}, {"empty", ""}}),
                EndsWith("refused  reason=\"too late\"  empty=\"\"\n"));
}

TEST(LogDeathTest, HostileValueCannotForgeALine) {
  EXPECT_LOGGED(log::Format::kText, log::Level::kInfo,
                log::Info("refused", {{"reason", "x\n2026-01-01 info all is well"}}),
                HasSubstr("reason=\"x\\n2026-01-01 info all is well\"\n"));
}

TEST(LogDeathTest, JsonIsOneObjectALine) {
  EXPECT_LOGGED(
      log::Format::kJson, log::Level::kInfo,
      log::Warning("disk is filling", {{"free_bytes", uint64_t{7}}, {"path", "/a \"b\""}}),
      AllOf(StartsWith("{\"time\":\""),
            EndsWith("\"level\":\"warning\",\"message\":\"disk is filling\",\"free_bytes\":7,"
                     "\"path\":\"/a \\\"b\\\"\"}\n")));
}

TEST(LogDeathTest, JsonHoldsNumbersThatAreNone) {
  EXPECT_LOGGED(log::Format::kJson, log::Level::kInfo,
                log::Info("loss", {{"loss", std::numeric_limits<double>::quiet_NaN()}}),
                HasSubstr("\"loss\":\"nan\""));
}

TEST(LogDeathTest, JsonSurvivesBytesThatAreNoText) {
  EXPECT_LOGGED(log::Format::kJson, log::Level::kInfo, log::Info("name", {{"name", "\xff\xfe"}}),
                HasSubstr("\"message\":\"name\""));
}

TEST(LogDeathTest, LevelsBelowTheChosenOneAreLeftOut) {
  EXPECT_LOGGED(
      log::Format::kText, log::Level::kWarning,
      {
        log::Debug("fine detail");
        log::Info("detail");
      },
      IsEmpty());
  EXPECT_LOGGED(
      log::Format::kText, log::Level::kWarning,
      {
        log::Warning("odd");
        log::Error("broken");
      },
      AllOf(HasSubstr("warning odd\n"), HasSubstr("error   broken\n")));
  EXPECT_LOGGED(log::Format::kText, log::Level::kError, log::Warning("odd"), Not(HasSubstr("odd")));
  EXPECT_LOGGED(log::Format::kText, log::Level::kDebug, log::Debug("fine detail"),
                HasSubstr("debug   fine detail\n"));
}

TEST(LogDeathTest, NothingIsLoggedWhereNothingIsWanted) {
  EXPECT_LOGGED(log::Format::kText, log::Level::kNone, log::Error("broken"), IsEmpty());
}

TEST(LogDeathTest, ALineCarriesTheFieldsOfTheScopesAroundIt) {
  EXPECT_LOGGED(
      log::Format::kText, log::Level::kInfo,
      {
        const log::Scope job({{"job", "mnist-k3x9qa"}, {"round", 2}, {"trace", "4bf9"}});
        const log::Scope task({{"round", 3}, {"worker", "fr-lab/w"}});
        log::Info("update accepted", {{"bytes", 12}, {"job", "its own"}});
      },
      EndsWith(
          "update accepted  bytes=12  job=\"its own\"  round=3  worker=fr-lab/w  trace=4bf9\n"));
}

TEST(LogDeathTest, AScopeEndsWithItsBlockAndIsNoOtherThreads) {
  EXPECT_LOGGED(
      log::Format::kJson, log::Level::kInfo,
      {
        {
          const log::Scope job(std::vector<log::Field>{{"job", "mnist-k3x9qa"}});
          std::thread([] { log::Info("other thread"); }).join();
        }
        log::Info("afterwards");
      },
      AllOf(HasSubstr("\"message\":\"other thread\"}"), HasSubstr("\"message\":\"afterwards\"}"),
            Not(HasSubstr("mnist"))));
}

TEST(LogTest, FormatsAreReadByName) {
  EXPECT_EQ(*log::ParseFormat("text"), log::Format::kText);
  EXPECT_EQ(*log::ParseFormat("json"), log::Format::kJson);
  EXPECT_THAT(log::ParseFormat("xml"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                HasSubstr("\"xml\" is unknown; use text or json")));
}

TEST(LogTest, LevelsAreReadByName) {
  EXPECT_EQ(*log::ParseLevel("debug"), log::Level::kDebug);
  EXPECT_EQ(*log::ParseLevel("info"), log::Level::kInfo);
  EXPECT_EQ(*log::ParseLevel("warning"), log::Level::kWarning);
  EXPECT_EQ(*log::ParseLevel("error"), log::Level::kError);
  EXPECT_THAT(log::ParseLevel("loud"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("\"loud\" is unknown; use debug, info, warning or error")));
}

}  // namespace
}  // namespace entente
