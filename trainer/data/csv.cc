// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/csv.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"

namespace entente::trainer {
namespace {

constexpr double kClassMax = 1 << 30;

// Adds the examples of one table to `examples`, a line at a time.
class TableReader {
 public:
  TableReader(std::string path, LearningTask task) : path_(std::move(path)), task_(task) {}

  absl::Status ReadHeader(absl::string_view line) {
    column_count_ = std::vector<absl::string_view>(absl::StrSplit(line, ',')).size();
    if (column_count_ >= 2) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ":1: has one column, expected features and a target"));
  }

  absl::Status ReadLine(absl::string_view line, int64_t line_number, Examples& examples) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ',');
    if (fields.size() != column_count_) {
      return absl::InvalidArgumentError(absl::StrCat(path_, ":", line_number, ": has ",
                                                     fields.size(), " columns, the header has ",
                                                     column_count_));
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      double value = 0;
      if (!absl::SimpleAtod(fields[i], &value) || !std::isfinite(value)) {
        return FieldError(line_number, i, "not a number");
      }
      if (i + 1 < fields.size()) {
        examples.inputs.push_back(static_cast<float>(value));
      } else if (task_ == LearningTask::kRegression) {
        examples.values.push_back(static_cast<float>(value));
      } else if (value < 0 || value > kClassMax || value != std::floor(value)) {
        return FieldError(line_number, i, "not a class (a whole number from 0)");
      } else {
        examples.classes.push_back(static_cast<int64_t>(value));
      }
    }
    ++examples.count;
    return absl::OkStatus();
  }

  int64_t feature_count() const { return static_cast<int64_t>(column_count_) - 1; }

 private:
  // Says where, not what: the sentence reaches the job's submitter, the data stays here.
  absl::Status FieldError(int64_t line_number, size_t column, absl::string_view fault) const {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ":", line_number, ": column ", column + 1, " is ", fault));
  }

  const std::string path_;
  const LearningTask task_;
  size_t column_count_ = 0;
};

}  // namespace

absl::StatusOr<Examples> ReadCsv(FileSystem& files, const std::string& path, LearningTask task) {
  ENTENTE_ASSIGN_OR_RETURN(const std::string text,
                           ReadTextFile(files, path, std::numeric_limits<int64_t>::max()));
  TableReader table(path, task);
  Examples examples;
  int64_t line_number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    line = absl::StripSuffix(line, "\r");
    if (line_number == 1) {
      ENTENTE_RETURN_IF_ERROR(table.ReadHeader(line));
    } else if (!line.empty()) {
      ENTENTE_RETURN_IF_ERROR(table.ReadLine(line, line_number, examples));
    }
  }
  if (examples.count == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": holds no examples, only a header line"));
  }
  examples.shape = {table.feature_count()};
  examples.value_count = task == LearningTask::kRegression ? 1 : 0;
  return examples;
}

}  // namespace entente::trainer
