// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_TEXT_LAYOUT_H_
#define CLI_TEXT_LAYOUT_H_

// Text for people, by column: tables, bars, sparklines, amounts. Widths are in columns of a
// terminal; every character counts as one, colour sequences (ESC [ ... m) as none.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace entente::cli {

size_t DisplayWidth(absl::string_view text);

// At most `width` columns, the last one "…" if something was cut. A colour that was on ends there.
std::string Clip(absl::string_view text, size_t width);

// `text` in lines of at most `width` columns, broken at spaces where there are any; none if it is
// empty. For text without colours; a width of 0 counts as 1.
std::vector<std::string> Wrap(absl::string_view text, size_t width);

// Clipped, or filled with spaces, to exactly `width` columns.
std::string Pad(absl::string_view text, size_t width);

// What others wrote, made safe for a terminal: control characters, and those that turn the
// direction of the text around them, become "?".
std::string Printable(absl::string_view text);

// "████░░░░": `fraction` (0 to 1) of `width` columns.
std::string Bar(double fraction, size_t width);

// "▁▃▇": the last `width` values between their least and greatest. Values that are not finite are
// left out.
std::string Sparkline(absl::Span<const double> values, size_t width);

// "41 s", "3 min 20 s", "2 h 05 min", "3 d 4 h". Negative ones are "0 s".
std::string ShortDuration(absl::Duration duration);

// "812 B", "4.1 MiB".
std::string BytesText(uint64_t bytes);

// "78.2 %".
std::string PercentText(double fraction);

// Four significant digits: "0.6123", "12.4".
std::string LossText(double loss);

// "2026-03-01 12:00:41Z"; "-" for the infinite past and future.
std::string TimeText(absl::Time time);

// "12 of 14 members" made right for one: Plural(1, "round") is "1 round", else "2 rounds".
std::string Plural(uint64_t count, absl::string_view noun);

// Rows under a header, columns as wide as their widest cell and two spaces apart. Cells are made
// Printable; an empty one shows as "-".
class Table {
 public:
  explicit Table(std::vector<std::string> header);

  void AddRow(std::vector<std::string> cells);

  // Every line ends with a newline and has no spaces before it.
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Names and values, one a line, the values aligned; a pair with an empty value is left out. Values
// are made Printable.
std::string Fields(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace entente::cli

#endif  // CLI_TEXT_LAYOUT_H_
