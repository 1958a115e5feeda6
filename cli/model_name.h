// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_MODEL_NAME_H_
#define CLI_MODEL_NAME_H_

// How people name models on the command line.

#include "absl/strings/string_view.h"

namespace entente::cli {

// Whether `name` can only be a digest or the start of one: 8 to 64 lower-case hexadecimal digits.
// Job ids always have a "-".
bool LooksLikeDigest(absl::string_view name);

}  // namespace entente::cli

#endif  // CLI_MODEL_NAME_H_
