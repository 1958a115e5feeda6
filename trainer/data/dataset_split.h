// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_DATA_DATASET_SPLIT_H_
#define TRAINER_DATA_DATASET_SPLIT_H_

// Splits one labelled data set among members the way real ones differ: each sees some labels often
// and others hardly ever. Equal for equal options on every machine.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file_system.h"

namespace entente::trainer {

struct SplitMember {
  std::string id;  // Names the member's folder: lower-case letters, digits and "-".
  std::optional<int64_t> examples;  // Train and held-out together; absent: as it falls.
};

struct SplitOptions {
  std::vector<SplitMember> members;  // All with a number of examples, or none.
  double alpha = 0.5;                // Dirichlet concentration: the smaller, the more unequal.
  double held_out = 0.1;             // Share of each member's examples kept for evaluation.
  uint64_t seed = 1;
  int64_t examples_min = 100;  // Splits that give a member fewer are drawn again.
};

// The examples of one member, as indices into the data set.
struct MemberShare {
  std::string id;
  std::vector<int64_t> train;
  std::vector<int64_t> held_out;
};

// With numbers of examples, each member draws its own label distribution from Dirichlet(alpha) and
// takes that many; without, each label is divided among the members in Dirichlet(alpha) shares
// (Hsu, Qi and Brown 2019; Li et al. 2022, "Federated learning on non-IID data silos"), which makes
// their sizes unequal too.
//
// INVALID_ARGUMENT: no members, a bad or repeated id, numbers for some members only or more than
// there are, alpha, held_out or examples_min that cannot be met.
absl::StatusOr<std::vector<MemberShare>> SplitByLabel(const std::vector<uint8_t>& labels,
                                                      const SplitOptions& options);

struct SplitFiles {
  std::string images;
  std::string labels;
  std::string output;  // Gets a folder for each member.
};

struct IdxSplit {
  std::vector<MemberShare> shares;
  std::vector<uint8_t> labels;  // Of the whole data set.
};

// Splits IDX files and writes each member's train and held-out files, under the names of dataset.h.
// Returns what was written.
absl::StatusOr<IdxSplit> SplitIdxFiles(FileSystem& files, const SplitFiles& paths,
                                       const SplitOptions& options);

// "a:10000,b:20000" or "a,b,c". INVALID_ARGUMENT if it is neither.
absl::StatusOr<std::vector<SplitMember>> ParseSplitMembers(const std::string& text);

}  // namespace entente::trainer

#endif  // TRAINER_DATA_DATASET_SPLIT_H_
