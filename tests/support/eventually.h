// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_EVENTUALLY_H_
#define TESTS_SUPPORT_EVENTUALLY_H_

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace entente {

// Whether `condition`, which somebody else makes true, was so within `limit`. It is asked at once,
// then after every `pause`:
//   EXPECT_TRUE(Eventually([&] { return queue.empty(); }));
bool Eventually(absl::FunctionRef<bool()> condition, absl::Duration pause = absl::Milliseconds(1),
                absl::Duration limit = absl::Seconds(30));

}  // namespace entente

#endif  // TESTS_SUPPORT_EVENTUALLY_H_
