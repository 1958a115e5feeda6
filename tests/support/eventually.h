// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_EVENTUALLY_H_
#define TESTS_SUPPORT_EVENTUALLY_H_

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace entente {

// Whether `condition`, which another thread makes true, was so within 30 seconds. It is asked at
// once, then after every `pause`:
//   EXPECT_TRUE(Eventually([&] { return queue.empty(); }));
bool Eventually(absl::FunctionRef<bool()> condition, absl::Duration pause = absl::Milliseconds(1));

}  // namespace entente

#endif  // TESTS_SUPPORT_EVENTUALLY_H_
