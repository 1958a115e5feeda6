// SPDX-License-Identifier: Apache-2.0
#include "trainer/protocol/progress_ticker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <streambuf>

#include "absl/synchronization/notification.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

// Counts lines and tells when there are enough.
class LineCounter final : public std::streambuf {
 public:
  explicit LineCounter(int lines_wanted) : lines_left_(lines_wanted) {}

  absl::Notification enough;
  std::string text;

 protected:
  int_type overflow(int_type c) override {
    text.push_back(static_cast<char>(c));
    if (c == '\n' && --lines_left_ == 0) enough.Notify();
    return c;
  }

 private:
  int lines_left_;
};

TEST(ProgressTickerTest, TellsTheLatestProgressUntilDestroyed) {
  LineCounter counter(3);
  std::ostream out(&counter);
  MessageWriter writer(out);
  {
    ProgressTicker ticker(writer, "t", absl::Milliseconds(1));
    ticker.Report({.step = 1, .step_count = 9, .loss = std::nullopt});
    ticker.Report({.step = 2, .step_count = 9, .loss = 0.5});
    counter.enough.WaitForNotification();
  }

  EXPECT_THAT(counter.text, HasSubstr(R"("task":"t","step":2,"step_count":9,"loss":0.5)"));
}

TEST(ProgressTickerTest, WorkThatIsDoneSoonerSaysNothing) {
  std::ostringstream out;
  MessageWriter writer(out);
  {
    ProgressTicker ticker(writer, "t", absl::Hours(1));
    ticker.Report({.step = 1, .step_count = 1, .loss = 0.5});
  }

  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace entente::trainer
