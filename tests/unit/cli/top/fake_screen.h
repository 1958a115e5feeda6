// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_CLI_TOP_FAKE_SCREEN_H_
#define TESTS_UNIT_CLI_TOP_FAKE_SCREEN_H_

// A screen whose reader is a function: it sees each frame as text and answers with a key.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/synchronization/notification.h"
#include "cli/screen/screen.h"
#include "common/base/clock.h"

namespace entente::cli {

class FakeScreen final : public Screen {
 public:
  // Returns kNone to wait for more. A reader who has waited for 30 s leaves with kGone.
  using Reader = std::function<Key(const std::string& frame)>;

  explicit FakeScreen(Reader reader) : reader_(std::move(reader)) {}

  Size size() const override { return {.width = 100, .height = 24}; }

  void Draw(const std::vector<std::string>& lines) override { frame_ = absl::StrJoin(lines, "\n"); }

  Key NextKey(absl::Duration) override {
    const Key key = reader_(frame_);
    if (key != Key::kNone) return key;
    if (clock_.Now() > patience_ends_) return Key::kGone;
    absl::Notification never;
    never.WaitForNotificationWithTimeout(absl::Milliseconds(5));
    return Key::kNone;
  }

 private:
  const Reader reader_;
  SystemClock clock_;
  const absl::Time patience_ends_ = clock_.Now() + absl::Seconds(30);
  std::string frame_;
};

}  // namespace entente::cli

#endif  // TESTS_UNIT_CLI_TOP_FAKE_SCREEN_H_
