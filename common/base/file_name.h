// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_FILE_NAME_H_
#define COMMON_BASE_FILE_NAME_H_

// Names of files after what others chose: an id, a label.

#include <string>

#include "absl/strings/string_view.h"

namespace entente {

// One part of a path, of any text: ASCII letters, digits, '-' and '_' stand for themselves, every
// other byte is %xx. Different texts have different names; none is "..", hidden or two parts. Empty
// for an empty text.
std::string FileNameOf(absl::string_view text);

}  // namespace entente

#endif  // COMMON_BASE_FILE_NAME_H_
