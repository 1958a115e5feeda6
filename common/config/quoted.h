// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_QUOTED_H_
#define COMMON_CONFIG_QUOTED_H_

// Shows what somebody wrote, or a number, inside a sentence of ours.

#include <string>

#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"

namespace entente {

// `text` in double quotes, escaped so that it stays in its line, cut off with "..." after about 60
// bytes. Valid UTF-8, whatever `text` is.
std::string Quoted(absl::string_view text);

// 10000000 as "10,000,000".
std::string WithCommas(absl::int128 value);

}  // namespace entente

#endif  // COMMON_CONFIG_QUOTED_H_
