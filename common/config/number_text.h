// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_NUMBER_TEXT_H_
#define COMMON_CONFIG_NUMBER_TEXT_H_

// Numbers as our files write them: plain decimal. YAML 1.1's octal, hexadecimal, base 60 and
// thousands separators are refused, for they turn a slip into another number.
//
// Errors are INVALID_ARGUMENT with half a sentence ("must be ...").

#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entente {

// A whole number from `min` to `max`.
absl::StatusOr<absl::int128> ParseWholeNumber(absl::string_view text, absl::int128 min,
                                              absl::int128 max);

// The same, where one of the units KiB, MiB, GiB or TiB may follow: "20 GiB".
absl::StatusOr<absl::int128> ParseByteCount(absl::string_view text, absl::int128 max);

// A finite number, e.g. "0.01", "1e-3".
absl::StatusOr<double> ParseNumber(absl::string_view text);

}  // namespace entente

#endif  // COMMON_CONFIG_NUMBER_TEXT_H_
