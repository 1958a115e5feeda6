// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_TRAINER_SCRIPTED_MODEL_H_
#define TESTS_UNIT_TRAINER_SCRIPTED_MODEL_H_

// TorchScript files for tests. This header includes no LibTorch.

#include <string>

namespace entente::trainer {

enum class ScriptedKind {
  kLinear,  // weight [3, 16], bias [3]; buffers scale (F32, 1) and calls (I64); prints in forward.
  kNoParameters,  // Returns its input.
  kFrozen,        // weight does not require a gradient.
  kDouble,        // weight is float64.
  kFlatOutput,    // Answers with one number an example, not a row.
  kTied,          // weight [3, 16], and the same tensor again as tied.
};

// Writes the program and returns `path`.
std::string WriteScriptedModel(const std::string& path, ScriptedKind kind);

}  // namespace entente::trainer

#endif  // TESTS_UNIT_TRAINER_SCRIPTED_MODEL_H_
