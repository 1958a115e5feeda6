// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_DATA_EXAMPLES_H_
#define TRAINER_DATA_EXAMPLES_H_

// Examples in memory, as every data format is read into.

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entente::trainer {

struct Examples {
  int64_t count = 0;
  std::vector<int64_t> shape;    // Of one example's input.
  std::vector<float> inputs;     // count x the elements of shape.
  std::vector<int64_t> classes;  // Classification: count.
  std::vector<float> values;     // Regression: count x value_count.
  int64_t value_count = 0;
};

// Gives `examples` the shape that the model wants, if that is the same image or row written
// otherwise: ones in front, or flat. INVALID_ARGUMENT, naming `source` and both shapes, if not.
absl::Status FitShape(const std::vector<int64_t>& input_shape, absl::string_view source,
                      Examples& examples);

// INVALID_ARGUMENT, naming `source` and the example, if a class is not 0 to outputs - 1; for
// regression if there are not `outputs` values an example.
absl::Status CheckTargets(const Examples& examples, int64_t outputs, absl::string_view source);

}  // namespace entente::trainer

#endif  // TRAINER_DATA_EXAMPLES_H_
