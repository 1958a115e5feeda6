// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_DATA_CSV_H_
#define TRAINER_DATA_CSV_H_

// Tables: a header line with the columns' names, then one example a line, numbers separated by
// commas. The last column is the target: a class (a whole number from 0) or a value.

#include <string>

#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "trainer/data/examples.h"
#include "trainer/recipe/recipe_view.h"

namespace entente::trainer {

// INVALID_ARGUMENT, naming file and line: fewer than two columns, a line with more or fewer columns
// than the header, a field that is not a finite number, a class that is not a whole number, no
// examples.
absl::StatusOr<Examples> ReadCsv(FileSystem& files, const std::string& path, LearningTask task);

}  // namespace entente::trainer

#endif  // TRAINER_DATA_CSV_H_
