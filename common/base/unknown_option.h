// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_UNKNOWN_OPTION_H_
#define COMMON_BASE_UNKNOWN_OPTION_H_

// What a program says of a word on its command line that it does not know:
//
//   unknown option "--confg"; did you mean "--config"?

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace entente {

// One sentence about the first of `unknown`, an option rather than another word; none if there are
// none. `known` are the program's options, e.g. "--config".
std::optional<std::string> UnknownWordSentence(absl::string_view program,
                                               const std::vector<std::string>& unknown,
                                               const std::vector<std::string>& known);

// The same from a CLI::App that allows extras, be its parsing done or broken off. (A template, for
// only programs are linked with CLI11.)
template <typename App>
std::optional<std::string> UnknownWordSentence(const App& app) {
  std::vector<std::string> known;
  const auto add_options_of = [&known](const App& command) {
    for (const auto* option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  };
  for (const auto* chosen : app.get_subcommands()) add_options_of(*chosen);
  add_options_of(app);
  return UnknownWordSentence(app.get_name(), app.remaining(/*recurse=*/true), known);
}

}  // namespace entente

#endif  // COMMON_BASE_UNKNOWN_OPTION_H_
