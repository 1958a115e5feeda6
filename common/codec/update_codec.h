// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CODEC_UPDATE_CODEC_H_
#define COMMON_CODEC_UPDATE_CODEC_H_

// What a trainer wrote, encoded to be sent.

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "common/codec/update_encoding.h"
#include "common/crypto/sha256.h"

namespace entente {

struct EncodeRequest {
  std::string source;  // fp32, from the trainer; hostile until checked.
  UpdateEncoding encoding;
  std::string target;
  // Whether the source may be renamed to the target where it is already what is asked for, which a
  // canonical file is for fp32: nothing is copied.
  bool may_move_source = false;

  // Seeds the rounding of int8 and int4. The same request gives the same bytes.
  uint64_t seed = 0;

  // The rest is for topk, and for an update in another encoding that comes after one in topk. What
  // earlier rounds left out is added to the update before the largest are chosen, and what is left
  // out then is written for the next round: over the rounds all of it is sent (error feedback,
  // Seide et al. 2014, Karimireddy et al. 2019).
  //
  // What is left of the updates sent so far: an F32 safetensors file of the update's tensors.
  // Empty: nothing is.
  std::string residual;
  // Where what is left after this one goes. Empty: it is not wanted.
  std::string next_residual;
  // Nothing beyond it is sent, though the sum may be: the rest stays in the residual.
  double value_bound = std::numeric_limits<float>::max();
};

// Whether what is left of earlier updates goes into this one, and what is left then is written.
bool UsesResidual(const EncodeRequest& request);

// Writes the update at `source` as `encoding` to `target`, in pieces, and returns the digest of the
// target; what `files` makes durable, is. INVALID_ARGUMENT if the source is not a safetensors file
// of F32 tensors, or holds a NaN, an infinity, or what the encoding cannot hold (with a residual,
// what is beyond value_bound); FAILED_PRECONDITION if the residual is not one of this update. Then
// neither file is left.
absl::StatusOr<Digest> EncodeUpdate(FileSystem& files, const EncodeRequest& request);

}  // namespace entente

#endif  // COMMON_CODEC_UPDATE_CODEC_H_
