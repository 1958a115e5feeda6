// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/open_watches.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/support/status_matchers.h"

namespace entente::service {
namespace {

using ::testing::ElementsAre;

class OpenWatchesTest : public ::testing::Test {
 protected:
  uint64_t Add(const std::string& name) {
    return watches_.Add([this, name](const absl::Status& why) {
      EXPECT_THAT(why, StatusIs(absl::StatusCode::kUnavailable, "stopping"));
      ended_.push_back(name);
    });
  }

  OpenWatches watches_;
  std::vector<std::string> ended_;
};

TEST_F(OpenWatchesTest, AllThatAreOpenAreEndedOnce) {
  Add("a");
  watches_.Remove(Add("b"));
  Add("c");

  watches_.EndAll(absl::UnavailableError("stopping"));
  watches_.EndAll(absl::UnavailableError("stopping"));

  EXPECT_THAT(ended_, ElementsAre("a", "c"));
}

TEST_F(OpenWatchesTest, OneThatComesLaterIsEndedAtOnce) {
  watches_.EndAll(absl::UnavailableError("stopping"));

  Add("late");

  EXPECT_THAT(ended_, ElementsAre("late"));
}

}  // namespace
}  // namespace entente::service
