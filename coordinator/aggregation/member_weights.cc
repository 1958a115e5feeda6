// SPDX-License-Identifier: Apache-2.0
#include "coordinator/aggregation/member_weights.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace entente::aggregation {
namespace {

using MemberShares = std::map<MemberId, double>;

// Fixes at the cap whatever is over it and gives the excess to the others in proportion, until none
// is over: in exact numbers at most as often as there are members, and each pass fixes one at
// least.
MemberShares Capped(const MemberShares& shares, double cap) {
  std::set<MemberId> fixed;
  double scale = 1;
  while (true) {
    const size_t fixed_before = fixed.size();
    for (const auto& [member, share] : shares) {
      if (share * scale > cap) fixed.insert(member);
    }
    // All are over: the cap cannot be kept, so everyone counts the same.
    if (fixed.size() == shares.size()) break;
    if (fixed.size() == fixed_before) break;
    double free_share = 0;
    for (const auto& [member, share] : shares) {
      if (!fixed.contains(member)) free_share += share;
    }
    scale = std::max(0.0, 1 - cap * static_cast<double>(fixed.size())) / free_share;
  }
  const bool all_fixed = fixed.size() == shares.size();
  MemberShares capped;
  for (const auto& [member, share] : shares) {
    capped[member] = all_fixed                ? 1 / static_cast<double>(shares.size())
                     : fixed.contains(member) ? cap
                                              : share * scale;
  }
  return capped;
}

}  // namespace

absl::StatusOr<std::map<WorkerId, double>> MemberWeights(
    const std::map<WorkerId, uint64_t>& examples, Weighting weighting, double member_weight_cap) {
  if (examples.empty()) return absl::InvalidArgumentError("there is no update to weigh");
  if (!(member_weight_cap > 0 && member_weight_cap <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a member's cap must be over 0 and at most 1, not ", member_weight_cap));
  }
  // In double from the start: examples are what a worker claims, and integers would overflow.
  MemberShares counts;
  double total = 0;
  for (const auto& [worker, count] : examples) {
    if (count == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("worker ", worker.value(), " was trained on no examples"));
    }
    const double weight = weighting == Weighting::kExamples ? static_cast<double>(count) : 1.0;
    counts[MemberOf(worker)] += weight;
    total += weight;
  }
  MemberShares shares;
  for (const auto& [member, count] : counts) {
    shares[member] =
        weighting == Weighting::kExamples ? count / total : 1 / static_cast<double>(counts.size());
  }
  if (member_weight_cap < 1) shares = Capped(shares, member_weight_cap);

  std::map<WorkerId, double> weights;
  for (const auto& [worker, count] : examples) {
    const MemberId member = MemberOf(worker);
    const double weight = weighting == Weighting::kExamples ? static_cast<double>(count) : 1.0;
    weights[worker] = shares[member] * (weight / counts[member]);
  }
  return weights;
}

}  // namespace entente::aggregation
