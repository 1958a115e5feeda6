// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_UPDATES_UPDATE_VALIDATOR_H_
#define COORDINATOR_UPDATES_UPDATE_VALIDATOR_H_

// Is this update one that may be aggregated? Everything about the bytes is checked here, before the
// update is accepted; nothing later needs to doubt it.

#include <string>

#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "common/codec/update_encoding.h"
#include "common/tensor/layout.h"

namespace entente::updates {

// What a valid update looks like.
struct UpdateExpectation {
  const Layout* model = nullptr;  // Borrowed: the base model's layout.
  UpdateEncoding encoding;        // The recipe's. One in fp32 is welcome, too: AcceptedForms.
  double value_bound = 256;
};

// What the one look at an update's numbers tells besides.
struct ValidUpdate {
  // The Euclidean (L2) norm of all numbers of all tensors together, as the aggregation will read
  // them: decoded, neither weighted nor divided by anything. So it is that of `local - base` as the
  // encoding wrote it; with topk, of the numbers that were sent, earlier residuals in them
  // included. Always finite: no sum of squares of finite floats overflows a double. The same update
  // has the same norm, bit for bit, on every machine.
  double norm = 0;
};

// Reads the file at `path` once, in pieces. INVALID_ARGUMENT, naming the tensor and what is wrong:
// not canonical safetensors; a tensor missing, extra, of the wrong shape or type; bytes that are
// not the encoding's; a NaN, an infinity, a value beyond the bound (with its index and value).
absl::StatusOr<ValidUpdate> ValidateUpdate(FileSystem& files, const std::string& path,
                                           const UpdateExpectation& expectation);

}  // namespace entente::updates

#endif  // COORDINATOR_UPDATES_UPDATE_VALIDATOR_H_
