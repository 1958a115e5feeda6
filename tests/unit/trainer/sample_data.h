// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_TRAINER_SAMPLE_DATA_H_
#define TESTS_UNIT_TRAINER_SAMPLE_DATA_H_

// Small data and recipes for the trainer's tests.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/support/temp_folder.h"
#include "trainer/data/idx.h"
#include "trainer/protocol/training_session.h"

namespace entente::trainer {

// A whole recipe: an mlp over 4x4 images of 3 classes, one epoch of sgd in batches of 8.
nlohmann::json SampleRecipe();
// The same with a cnn.
nlohmann::json SampleCnnRecipe();
// The same with a TorchScript program.
nlohmann::json SampleTorchScriptRecipe();

// Images of 4x4 and their labels, 0 to 2: the row of the label is bright, the rest noise.
IdxArray SampleImages(int64_t count);
IdxArray SampleLabels(int64_t count);

// The bytes of an IDX file.
std::string IdxBytes(const IdxArray& array);
std::string Gzip(absl::string_view text);

// Writes train (`count` examples), held-out and test files (`count` / 2) and returns the folder.
std::string WriteSampleFolder(const TempFolder& folder, absl::string_view name, int64_t count);

// Writes a safetensors file with "inputs" [count, 2] and "targets" = 2 a - b + 1, shape [count, 1].
std::string WriteRegressionFolder(const TempFolder& folder, absl::string_view name, int64_t count);

// Keeps what is reported.
class RecordedProgress final : public ProgressSink {
 public:
  void Report(const Progress& progress) override { reports.push_back(progress); }
  std::vector<Progress> reports;
};

// The whole file.
std::string FileText(const std::string& path);

}  // namespace entente::trainer

#endif  // TESTS_UNIT_TRAINER_SAMPLE_DATA_H_
