// SPDX-License-Identifier: Apache-2.0
#include "cli/model_name.h"

namespace entente::cli {

bool LooksLikeDigest(absl::string_view name) {
  return name.size() >= 8 && name.size() <= 64 &&
         name.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
}

}  // namespace entente::cli
