// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_UTF8_H_
#define COMMON_BASE_UTF8_H_

// Text from others, made fit to be kept and sent on. A proto3 string that is not UTF-8 can be
// written, but not read again: one such byte in a journal would make it unreadable for good.

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace entente {

// Bytes of the UTF-8 character (RFC 3629, section 4) at the start of `text`; 0 if there is none.
size_t Utf8CharacterBytes(absl::string_view text);

// The first bytes of UTF-8 `text`, at most `bytes_max`, ending between two characters.
absl::string_view ClipUtf8(absl::string_view text, size_t bytes_max);

// `text` with U+FFFD, which takes three bytes, in the place of each byte that is not UTF-8.
std::string ToValidUtf8(absl::string_view text);

}  // namespace entente

#endif  // COMMON_BASE_UTF8_H_
