// SPDX-License-Identifier: Apache-2.0
#include "sim/trace.h"

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace entente::sim {

void Trace::Add(absl::string_view start, absl::string_view text) {
  if (!is_kept_) return;
  const double seconds =
      absl::ToDoubleSeconds(scheduler_.now() - absl::FromUnixSeconds(1'700'000'000));
  // A semicolon or a line's end would end the statement.
  absl::StrAppend(&lines_, "  ", start, absl::StrFormat("%.3f s ", seconds),
                  absl::StrReplaceAll(text, {{";", ","}, {"\n", " "}, {"#", ""}}), "\n");
}

}  // namespace entente::sim
