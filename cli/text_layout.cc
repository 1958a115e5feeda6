// SPDX-License-Identifier: Apache-2.0
#include "cli/text_layout.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace entente::cli {
namespace {

// Length of the colour sequence at the start of `text`, 0 if there is none.
size_t ColourLength(absl::string_view text) {
  if (text.size() < 2 || text[0] != '\x1b' || text[1] != '[') return 0;
  const size_t end = text.find('m');
  return end == absl::string_view::npos ? 0 : end + 1;
}

// Length of the UTF-8 character at the start of `text`; a stray byte is a character of its own.
size_t CharacterLength(absl::string_view text) {
  size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) {
    ++length;
  }
  return length;
}

// U+200E, U+200F, U+2028 to U+202E and U+2066 to U+2069: after one of these a name shows as another
// (Unicode Technical Report 36, section 2.9).
bool TurnsText(absl::string_view text) {
  if (text.size() < 3 || text[0] != '\xe2') return false;
  const auto second = static_cast<unsigned char>(text[1]);
  const auto third = static_cast<unsigned char>(text[2]);
  if (second == 0x80) return third == 0x8e || third == 0x8f || (third >= 0xa8 && third <= 0xae);
  return second == 0x81 && third >= 0xa6 && third <= 0xa9;
}

}  // namespace

size_t DisplayWidth(absl::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const size_t colour = ColourLength(text);
    if (colour == 0) ++width;
    text.remove_prefix(colour > 0 ? colour : CharacterLength(text));
  }
  return width;
}

std::string Clip(absl::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width == 0) return "";
  std::string clipped;
  bool coloured = false;
  for (size_t column = 0; column + 1 < width;) {
    const size_t colour = ColourLength(text);
    const size_t length = colour > 0 ? colour : CharacterLength(text);
    absl::StrAppend(&clipped, text.substr(0, length));
    text.remove_prefix(length);
    coloured |= colour > 0;
    column += colour > 0 ? 0 : 1;
  }
  absl::StrAppend(&clipped, "…", coloured ? "\x1b[0m" : "");
  return clipped;
}

std::vector<std::string> Wrap(absl::string_view text, size_t width) {
  width = std::max<size_t>(1, width);
  std::vector<std::string> lines;
  text = absl::StripAsciiWhitespace(text);
  while (!text.empty()) {
    size_t end = 0;        // Of the part that fits.
    size_t broken_at = 0;  // The last space in it, 0 if there is none.
    for (size_t column = 0; column < width && end < text.size(); ++column) {
      if (text[end] == ' ') broken_at = end;
      end += CharacterLength(text.substr(end));
    }
    const bool fits_exactly = end == text.size() || text[end] == ' ';
    if (!fits_exactly && broken_at > 0) end = broken_at;
    lines.emplace_back(absl::StripTrailingAsciiWhitespace(text.substr(0, end)));
    text = absl::StripLeadingAsciiWhitespace(text.substr(end));
  }
  return lines;
}

std::string Pad(absl::string_view text, size_t width) {
  std::string padded = Clip(text, width);
  padded.append(width - DisplayWidth(padded), ' ');
  return padded;
}

std::string Printable(absl::string_view text) {
  std::string printable(text);
  for (size_t i = 0; i < printable.size(); ++i) {
    const auto byte = static_cast<unsigned char>(printable[i]);
    if (byte < 0x20 || byte == 0x7f) printable[i] = '?';
    // U+0080 to U+009F are control characters too; terminals take U+009B for ESC [.
    if (byte == 0xc2 && i + 1 < printable.size() &&
        static_cast<unsigned char>(printable[i + 1]) < 0xa0) {
      printable.replace(i, 2, "?");
    } else if (TurnsText(absl::string_view(printable).substr(i))) {
      printable.replace(i, 3, "?");
    }
  }
  return printable;
}

std::string Bar(double fraction, size_t width) {
  const double share = std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0;
  const auto full = static_cast<size_t>(std::floor(share * static_cast<double>(width) + 1e-9));
  std::string bar;
  for (size_t i = 0; i < width; ++i) absl::StrAppend(&bar, i < full ? "█" : "░");
  return bar;
}

std::string Sparkline(absl::Span<const double> values, size_t width) {
  constexpr absl::string_view kLevels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::vector<double> shown;
  std::copy_if(values.begin(), values.end(), std::back_inserter(shown),
               [](double value) { return std::isfinite(value); });
  if (shown.size() > width) shown.erase(shown.begin(), shown.end() - static_cast<long>(width));
  if (shown.empty()) return "";
  const auto [least, greatest] = std::minmax_element(shown.begin(), shown.end());
  const double low = *least;
  const double range = *greatest - low;
  std::string line;
  for (const double value : shown) {
    const double level = range > 0 ? (value - low) / range * 7.0 : 0.0;
    absl::StrAppend(&line, kLevels[static_cast<size_t>(std::lround(level))]);
  }
  return line;
}

std::string ShortDuration(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "for ever";
  const int64_t seconds = std::max<int64_t>(0, absl::ToInt64Seconds(duration));
  if (seconds < 60) return absl::StrCat(seconds, " s");
  if (seconds < 3600) return absl::StrFormat("%d min %02d s", seconds / 60, seconds % 60);
  if (seconds < 86400) {
    return absl::StrFormat("%d h %02d min", seconds / 3600, seconds % 3600 / 60);
  }
  return absl::StrFormat("%d d %d h", seconds / 86400, seconds % 86400 / 3600);
}

std::string BytesText(uint64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  constexpr absl::string_view kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double amount = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.95 would print as "1024.0".
  while (amount >= 1023.95 && unit + 1 < std::size(kUnits)) {
    amount /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", amount, kUnits[unit]);
}

std::string PercentText(double fraction) { return absl::StrFormat("%.1f %%", fraction * 100); }

std::string LossText(double loss) { return absl::StrFormat("%.4g", loss); }

std::string TimeText(absl::Time time) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string Plural(uint64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

Table::Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }

void Table::AddRow(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = cell.empty() ? "-" : Printable(cell);
  cells.resize(rows_.front().size());
  rows_.push_back(std::move(cells));
}

std::string Table::Text() const {
  std::vector<size_t> widths(rows_.front().size());
  for (const std::vector<std::string>& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  std::string text;
  for (const std::vector<std::string>& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) absl::StrAppend(&line, Pad(row[i], widths[i]), "  ");
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  return text;
}

std::string Fields(const std::vector<std::pair<std::string, std::string>>& fields) {
  size_t width = 0;
  for (const auto& [name, value] : fields) {
    if (!value.empty()) width = std::max(width, DisplayWidth(name));
  }
  std::string text;
  for (const auto& [name, value] : fields) {
    if (!value.empty()) absl::StrAppend(&text, Pad(name, width), "  ", Printable(value), "\n");
  }
  return text;
}

}  // namespace entente::cli
