// SPDX-License-Identifier: Apache-2.0
#include "cli/screen/styled_text.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/utf8.h"

namespace entente::cli {
namespace {

// Longer than any that a view writes.
constexpr size_t kSequenceBytesMax = 16;

// Bytes of the colour sequence that `text` begins with; 0 if it begins with none.
size_t SequenceBytes(absl::string_view text) {
  if (text.size() < 3 || text[0] != '\x1b' || text[1] != '[') return 0;
  const size_t end = text.find_first_not_of("0123456789;", 2);
  if (end == absl::string_view::npos || end > kSequenceBytesMax || text[end] != 'm') return 0;
  return end + 1;
}

void Apply(int code, TextStyle* style) {
  switch (code) {
    case 0:
      *style = {};
      break;
    case 1:
      style->bold = true;
      break;
    case 2:
      style->dim = true;
      break;
    case 7:
      style->reverse = true;
      break;
    case 31:
      style->colour = TextColour::kRed;
      break;
    case 32:
      style->colour = TextColour::kGreen;
      break;
    case 33:
      style->colour = TextColour::kYellow;
      break;
    default:
      break;
  }
}

void ApplySequence(absl::string_view sequence, TextStyle* style) {
  const absl::string_view codes = sequence.substr(2, sequence.size() - 3);
  for (const absl::string_view word : absl::StrSplit(codes, ';')) {
    int code = 0;
    if (word.empty() || absl::SimpleAtoi(word, &code)) Apply(code, style);
  }
}

// C0, DEL, and C1, which UTF-8 writes as 0xC2 0x80 to 0xC2 0x9F.
bool IsControl(absl::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (first < 0x20 || first == 0x7f) return true;
  return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

}  // namespace

std::vector<StyledRun> StyledRuns(absl::string_view line) {
  std::vector<StyledRun> runs;
  TextStyle style;
  while (!line.empty()) {
    if (const size_t sequence = SequenceBytes(line); sequence > 0) {
      ApplySequence(line.substr(0, sequence), &style);
      line.remove_prefix(sequence);
      continue;
    }
    const size_t bytes = Utf8CharacterBytes(line);
    const bool shown = bytes > 0 && !IsControl(line.substr(0, bytes));
    if (runs.empty() || !(runs.back().style == style)) runs.push_back({.style = style, .text = ""});
    absl::StrAppend(&runs.back().text, shown ? line.substr(0, bytes) : "?");
    line.remove_prefix(bytes > 0 ? bytes : 1);
  }
  return runs;
}

}  // namespace entente::cli
