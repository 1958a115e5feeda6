// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_POLICY_PATTERN_H_
#define WORKER_POLICY_PATTERN_H_

#include "absl/strings/string_view.h"

namespace entente {

// Whether the whole of `text` fits `pattern`, in which "*" stands for any run of bytes, also an
// empty one, and everything else for itself; case counts. Takes at most the product of both
// lengths, however the texts are chosen.
bool MatchesPattern(absl::string_view pattern, absl::string_view text);

}  // namespace entente

#endif  // WORKER_POLICY_PATTERN_H_
