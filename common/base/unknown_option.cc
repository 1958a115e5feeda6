// SPDX-License-Identifier: Apache-2.0
#include "common/base/unknown_option.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/closest_word.h"

namespace entente {

std::optional<std::string> UnknownWordSentence(absl::string_view program,
                                               const std::vector<std::string>& unknown,
                                               const std::vector<std::string>& known) {
  const std::string see_help = absl::StrCat("see \"", program, " --help\"");
  // An option first: the words after it may have been meant as its value.
  for (const std::string& word : unknown) {
    if (word.size() < 2 || word[0] != '-' || word == "--") continue;
    const std::string option = word.substr(0, word.find('='));
    const std::optional<std::string> closest = ClosestWord(option, known);
    return absl::StrCat("unknown option \"", option, "\"; ",
                        closest ? absl::StrCat("did you mean \"", *closest, "\"?") : see_help);
  }
  for (const std::string& word : unknown) {
    if (word != "--") return absl::StrCat("unexpected word \"", word, "\"; ", see_help);
  }
  return std::nullopt;
}

}  // namespace entente
