// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_TOY_MODEL_H_
#define SIM_TOY_MODEL_H_

// A model of a few dozen parameters, what simulated training makes of it, and the mean of updates
// by a plain loop.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/strong_id.h"
#include "common/crypto/sha256.h"
#include "common/tensor/layout.h"

namespace entente::sim {

// Of a model, or of an update: they have the same tensors.
class ToyModel {
 public:
  static constexpr size_t kValues = 36;

  static const Layout& TensorLayout();
  static ToyModel Initial(uint64_t seed);
  // From a canonical safetensors file's bytes of the layout.
  static ToyModel FromFile(const std::string& bytes);

  // The canonical file.
  std::string FileBytes() const;
  Digest FileDigest() const { return Sha256Of(FileBytes()); }

  // The update that training from here gives, and nothing but the seed decides.
  ToyModel Train(uint64_t seed) const;
  // How many examples that training saw.
  static uint64_t Examples(uint64_t seed) { return 1 + seed % 97; }

  // The model after a round of FedAvg with learning rate 1: every number by itself, in the order of
  // docs/architecture.md, "Arithmetic". `weights` add up to 1; both maps have the same workers.
  ToyModel After(const std::map<WorkerId, ToyModel>& updates,
                 const std::map<WorkerId, double>& weights) const;

 private:
  std::vector<float> values_;
};

}  // namespace entente::sim

#endif  // SIM_TOY_MODEL_H_
