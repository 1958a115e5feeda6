// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_MODELS_TORCH_SEAM_H_
#define TRAINER_MODELS_TORCH_SEAM_H_

// Where LibTorch's exceptions end. Everything that calls LibTorch runs inside WithoutExceptions().

#include <exception>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entente::trainer {

// One sentence out of LibTorch's many lines: the last "RuntimeError: ..." of a TorchScript trace,
// or the first line, without source positions.
std::string OneSentence(absl::string_view what);

// RESOURCE_EXHAUSTED if memory ran out, else INVALID_ARGUMENT: what throws is what the recipe, the
// model or the data made LibTorch do. LibTorch's own words are logged and not in the status, which
// leaves the site: a TorchScript program may raise what it likes, the site's data too.
absl::Status StatusOfException(const std::exception& error);

// Runs `work`, which returns absl::Status or absl::StatusOr, and turns what it throws into a
// status.
template <typename Work>
auto WithoutExceptions(Work&& work) -> decltype(work()) {
  try {
    return std::forward<Work>(work)();
  } catch (const std::exception& error) {
    return StatusOfException(error);
  }
}

}  // namespace entente::trainer

#endif  // TRAINER_MODELS_TORCH_SEAM_H_
