// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_AGGREGATION_RUN_H_
#define COORDINATOR_ENGINE_AGGREGATION_RUN_H_

// Makes the next model out of the base model and the accepted updates, out of core: it walks the
// parameters block by block, reads the same block of every update, combines them, lets the server
// optimizer move the model, and writes the block of the next model, and if workers download that,
// of its rounded copy. Memory is threads x block x few, whatever the number of updates and the size
// of the model.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/executor.h"
#include "common/base/file_system.h"
#include "common/base/strong_id.h"
#include "common/codec/update_encoding.h"
#include "common/crypto/sha256.h"
#include "coordinator/models/model_store.h"
#include "coordinator/optimizer/server_optimizer.h"

namespace entente::engine {

// A system call for each block of each update costs time in small blocks; in large ones the sums
// leave the core's second-level cache. AggregateInBlocks of bench/micro measures both. Each thread
// needs 28 bytes an element and 8 more for each state of the optimizer.
inline constexpr size_t kBlockElements = size_t{128} << 10;

// One update to combine.
struct AggregationInput {
  std::string path;   // In the spool; validated.
  double weight = 0;  // From aggregation::MemberWeights.
};

struct AggregationRequest {
  Digest base_model;
  // State of the server optimizer after the last round; none before the first, or if it has none.
  Digest optimizer_state;
  // By worker id: aggregation reads them in this order.
  std::map<WorkerId, AggregationInput> updates;
  // The recipe's. Each update is in this or in fp32; its file's header says in which.
  UpdateEncoding encoding;
  // Whether the next model gets a rounded copy; see models/rounded_model.h.
  bool rounds_model = false;
  double value_bound = 256;
  optimizer::ServerOptimizerSettings optimizer;
  // Of the model, worked on at one time by each thread. A multiple of the encoding's
  // AlignmentElements, so that none of its blocks is cut; of 4,096 for all encodings. The result
  // does not depend on it.
  size_t block_elements = kBlockElements;
  // Names the temporary files; unique among runs at the same time.
  std::string label;
  // Borrowed; null: never. Once true, the run ends after the blocks at hand.
  const std::atomic<bool>* is_stopping = nullptr;
};

struct AggregationOutcome {
  Digest model;            // In the model store, synced, as is its rounded copy if it has one.
  Digest optimizer_state;  // In the model store, synced; none if the optimizer has no state.
};

// How many bytes a run writes while the updates are still there: the next model, the optimizer's
// state and the rounded copy; without their headers but the model's.
uint64_t OutputBytes(const SafetensorsReader& base,
                     const optimizer::ServerOptimizerSettings& optimizer, bool rounds_model);

// Runs on the calling thread and `thread_count - 1` tasks of `pool`, with a `thread_count` of at
// least 1; blocks until done. Must not be called from a `pool` thread unless thread_count is 1. The
// same request gives the same bits for every thread_count.
//
// CANCELLED if it was stopped. INVALID_ARGUMENT if there are no updates or more than
// limits::kUpdatesPerRoundMax, the base model is no sound safetensors file or has floating-point
// tensors that are not F32, the optimizer's state is not this model's or cannot name its tensors, a
// block would cut one of the encoding, or the result would not be finite or is too large to be
// rounded (naming the tensor). NOT_FOUND naming what is not in the store or the spool. DATA_LOSS if
// an update cannot be the one that was accepted: it has another size or header, or holds what is
// refused. (Its digest is not taken again: it was when it came in, and at each start; see
// stored_files.h.) RESOURCE_EXHAUSTED from the disk, and if OutputBytes are not free on it, before
// a byte is written: a try that fills the disk takes it from everybody else. UNAVAILABLE from the
// disk.
//
// On error temporary files are gone and no model is stored. (If one of the last renames fails, a
// state or a rounded copy may be: files without a name in any journal, and those that the next try
// needs.)
absl::StatusOr<AggregationOutcome> RunAggregation(const AggregationRequest& request,
                                                  models::ModelStore& store, FileSystem& files,
                                                  Executor& pool, int thread_count);

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_AGGREGATION_RUN_H_
