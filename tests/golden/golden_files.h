// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_GOLDEN_GOLDEN_FILES_H_
#define TESTS_GOLDEN_GOLDEN_FILES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace entente {

// The text of tests/golden/<name>. Ends the program if there is none.
std::string GoldenText(absl::string_view name);

// The bytes that tests/golden/<name>, a .hex file as README.md describes it, stands for.
std::string GoldenBytes(absl::string_view name);

}  // namespace entente

#endif  // TESTS_GOLDEN_GOLDEN_FILES_H_
