// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_DATA_DATASET_H_
#define TRAINER_DATA_DATASET_H_

// A data set is a folder with files of fixed names, the same for every format:
//
//   part      idx (each may end in .gz)                               csv           safetensors
//   train     train-images-idx3-ubyte, train-labels-idx1-ubyte        train.csv train.safetensors
//   held-out  held-out-images-idx3-ubyte, held-out-labels-idx1-ubyte  held-out.csv
//   held-out.safetensors test      t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte          test.csv
//   test.safetensors

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file_system.h"
#include "trainer/data/examples.h"
#include "trainer/recipe/recipe_view.h"

namespace entente::trainer {

enum class DatasetFormat { kIdx, kCsv, kSafetensors };
enum class DatasetPart { kTrain, kHeldOut, kTest };

struct DatasetSource {
  DatasetFormat format = DatasetFormat::kIdx;
  std::string directory;
};

// "idx", "csv", "safetensors"; INVALID_ARGUMENT otherwise.
absl::StatusOr<DatasetFormat> ParseDatasetFormat(absl::string_view text);
// "train", "held-out", "test"; INVALID_ARGUMENT otherwise.
absl::StatusOr<DatasetPart> ParseDatasetPart(absl::string_view text);

// Whether any file of the part is there.
bool HasPart(FileSystem& files, const DatasetSource& source, DatasetPart part);

// Reads one part into memory. IDX pixels become (x / 255 - 0.5) / 0.5, in [-1, 1]; an image of
// [height, width] gets a channel in front.
//
// NOT_FOUND, naming the folder and the file looked for, if the part is not there; else the errors
// of its format, and INVALID_ARGUMENT if images and labels differ in number or the format cannot
// hold what `task` learns.
absl::StatusOr<Examples> ReadPart(FileSystem& files, const DatasetSource& source, DatasetPart part,
                                  LearningTask task);

}  // namespace entente::trainer

#endif  // TRAINER_DATA_DATASET_H_
