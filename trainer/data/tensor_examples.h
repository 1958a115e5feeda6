// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_DATA_TENSOR_EXAMPLES_H_
#define TRAINER_DATA_TENSOR_EXAMPLES_H_

// Examples in a safetensors file: tensor "inputs" (F32, one example a row, of any shape) and tensor
// "targets" (I64 classes, or F32 values, one row an example).

#include <string>

#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "trainer/data/examples.h"
#include "trainer/recipe/recipe_view.h"

namespace entente::trainer {

// INVALID_ARGUMENT, naming the file: no such tensors, other types or shapes, different counts, no
// examples, an input or value that is not finite.
absl::StatusOr<Examples> ReadTensorExamples(FileSystem& files, const std::string& path,
                                            LearningTask task);

}  // namespace entente::trainer

#endif  // TRAINER_DATA_TENSOR_EXAMPLES_H_
