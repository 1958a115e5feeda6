// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/torch_seam.h"

#include <new>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/log.h"

namespace entente::trainer {
namespace {

constexpr size_t kSentenceBytesMax = 300;

bool IsOutOfMemory(absl::string_view what) {
  return absl::StrContains(what, "can't allocate memory") ||
         absl::StrContains(what, "out of memory");
}

}  // namespace

std::string OneSentence(absl::string_view what) {
  std::string chosen;
  for (absl::string_view line : absl::StrSplit(what, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    const bool is_cause = absl::ConsumePrefix(&line, "RuntimeError: ");
    if ((chosen.empty() || is_cause) && !line.empty()) chosen = std::string(line);
  }
  // "... (function at /path/to/source.cpp:12)" and "Exception raised from ..." say nothing to a
  // lab.
  for (const absl::string_view tail : {" (function", " Exception raised from"}) {
    chosen = chosen.substr(0, chosen.find(std::string(tail)));
  }
  return chosen.substr(0, kSentenceBytesMax);
}

absl::Status StatusOfException(const std::exception& error) {
  const std::string sentence = OneSentence(error.what());
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr || IsOutOfMemory(sentence)) {
    return absl::ResourceExhaustedError("memory ran out; use a smaller model or batch");
  }
  log::Error("LibTorch refused", {{"reason", sentence}});
  return absl::InvalidArgumentError(
      "LibTorch refused what the model does; the reason is in this trainer's log");
}

}  // namespace entente::trainer
