// SPDX-License-Identifier: Apache-2.0
#include "common/config/logging_level.h"

#include <gtest/gtest.h>

namespace entente {
namespace {

log::Level LevelOf(config::v1::Logging::Level level) {
  config::v1::Logging logging;
  logging.set_level(level);
  return ToLogLevel(logging);
}

TEST(LoggingLevelTest, EachConfiguredLevelIsTheLogs) {
  EXPECT_EQ(LevelOf(config::v1::Logging::LEVEL_DEBUG), log::Level::kDebug);
  EXPECT_EQ(LevelOf(config::v1::Logging::LEVEL_INFO), log::Level::kInfo);
  EXPECT_EQ(LevelOf(config::v1::Logging::LEVEL_WARNING), log::Level::kWarning);
  EXPECT_EQ(LevelOf(config::v1::Logging::LEVEL_ERROR), log::Level::kError);
}

TEST(LoggingLevelTest, AFileThatDoesNotSayMeansInfo) {
  EXPECT_EQ(ToLogLevel(config::v1::Logging()), log::Level::kInfo);
}

}  // namespace
}  // namespace entente
