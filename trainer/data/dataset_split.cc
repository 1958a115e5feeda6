// SPDX-License-Identifier: Apache-2.0
// Compiled with -ffp-contract=off, as portable_random.cc.
#include "trainer/data/dataset_split.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "common/base/random_source.h"
#include "common/base/status_macros.h"
#include "trainer/data/idx.h"
#include "trainer/data/portable_random.h"

namespace entente::trainer {
namespace {

constexpr int kLabelCount = 256;
constexpr int kDrawsMax = 1000;
constexpr size_t kMembersMax = 10'000;

using Indices = std::vector<int64_t>;

absl::Status CheckOptions(size_t label_count, const SplitOptions& options) {
  std::set<std::string> ids;
  int64_t examples = 0;
  int64_t sized = 0;
  for (const SplitMember& member : options.members) {
    const bool well_formed =
        !member.id.empty() &&
        member.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
    if (!well_formed) {
      return absl::InvalidArgumentError(absl::StrCat(
          "member id \"", member.id, "\" must be lower-case letters, digits and \"-\""));
    }
    if (!ids.insert(member.id).second) {
      return absl::InvalidArgumentError(absl::StrCat("member ", member.id, " is given twice"));
    }
    examples += member.examples.value_or(0);
    sized += member.examples.has_value() ? 1 : 0;
  }
  const int64_t member_count = static_cast<int64_t>(options.members.size());
  if (member_count == 0) return absl::InvalidArgumentError("there must be at least one member");
  if (sized != 0 && sized != member_count) {
    return absl::InvalidArgumentError("give a number of examples for every member or for none");
  }
  if (examples > static_cast<int64_t>(label_count)) {
    return absl::InvalidArgumentError(absl::StrCat("the members are to have ", examples,
                                                   " examples, and the data holds ", label_count));
  }
  if (!(options.alpha >= 0.01 && options.alpha <= 1e6)) {
    return absl::InvalidArgumentError(
        absl::StrCat("alpha is ", options.alpha, ", expected 0.01 to 1e6"));
  }
  if (!(options.held_out >= 0 && options.held_out <= 0.9)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the held-out share is ", options.held_out, ", expected 0 to 0.9"));
  }
  return absl::OkStatus();
}

std::vector<Indices> IndicesByLabel(const std::vector<uint8_t>& labels, PortableRandom& random) {
  std::vector<Indices> by_label(kLabelCount);
  for (size_t i = 0; i < labels.size(); ++i) by_label[labels[i]].push_back(static_cast<int64_t>(i));
  std::erase_if(by_label, [](const Indices& indices) { return indices.empty(); });
  for (Indices& indices : by_label) random.Shuffle(indices);
  return by_label;
}

// Divides each label among the members.
std::vector<Indices> DivideLabels(const std::vector<Indices>& by_label, const SplitOptions& options,
                                  PortableRandom& random) {
  std::vector<Indices> taken(options.members.size());
  for (const Indices& indices : by_label) {
    const std::vector<double> shares = random.Dirichlet(options.alpha, taken.size());
    double until = 0;
    size_t next = 0;
    for (size_t m = 0; m < taken.size(); ++m) {
      until += shares[m];
      const size_t cut =
          m + 1 == taken.size()
              ? indices.size()
              : std::min(indices.size(),
                         static_cast<size_t>(until * static_cast<double>(indices.size())));
      for (; next < cut; ++next) taken[m].push_back(indices[next]);
    }
  }
  return taken;
}

// Which label the point `at` of [0, sum of the shares with examples left) falls on.
size_t LabelAt(double at, const std::vector<double>& shares, const std::vector<Indices>& by_label) {
  size_t label = 0;
  for (size_t l = 0; l < shares.size(); ++l) {
    if (by_label[l].empty()) continue;
    label = l;
    at -= shares[l];
    if (at < 0) break;
  }
  return label;
}

// Each member takes its number of examples from its own label distribution.
std::vector<Indices> TakeBySize(std::vector<Indices> by_label, const SplitOptions& options,
                                PortableRandom& random) {
  std::vector<Indices> taken(options.members.size());
  for (size_t m = 0; m < taken.size(); ++m) {
    const std::vector<double> shares = random.Dirichlet(options.alpha, by_label.size());
    for (int64_t i = 0; i < options.members[m].examples.value_or(0); ++i) {
      double left = 0;
      for (size_t l = 0; l < shares.size(); ++l) left += by_label[l].empty() ? 0 : shares[l];
      Indices& indices = by_label[LabelAt(random.Unit() * left, shares, by_label)];
      taken[m].push_back(indices.back());
      indices.pop_back();
    }
  }
  return taken;
}

MemberShare HoldOut(const std::string& id, Indices indices, double held_out,
                    PortableRandom& random) {
  random.Shuffle(indices);
  const auto kept =
      static_cast<int64_t>(std::floor(static_cast<double>(indices.size()) * held_out + 0.5));
  const auto cut =
      indices.end() - std::min<int64_t>(kept, static_cast<int64_t>(indices.size()) - 1);
  return MemberShare{
      .id = id, .train = Indices(indices.begin(), cut), .held_out = Indices(cut, indices.end())};
}

absl::Status WriteExamples(FileSystem& files, const std::string& prefix, const IdxArray& images,
                           const IdxArray& labels, const Indices& indices) {
  if (indices.empty()) return absl::OkStatus();
  IdxArray image_part{.shape = images.shape, .elements = {}};
  image_part.shape[0] = static_cast<int64_t>(indices.size());
  IdxArray label_part{.shape = {image_part.shape[0]}, .elements = {}};
  const size_t image_bytes = images.elements.size() / labels.elements.size();
  for (const int64_t index : indices) {
    const auto image = images.elements.begin() + index * static_cast<int64_t>(image_bytes);
    image_part.elements.insert(image_part.elements.end(), image,
                               image + static_cast<int64_t>(image_bytes));
    label_part.elements.push_back(labels.elements[static_cast<size_t>(index)]);
  }
  ENTENTE_RETURN_IF_ERROR(WriteIdx(files, prefix + "-images-idx3-ubyte", image_part));
  return WriteIdx(files, prefix + "-labels-idx1-ubyte", label_part);
}

}  // namespace

absl::StatusOr<std::vector<MemberShare>> SplitByLabel(const std::vector<uint8_t>& labels,
                                                      const SplitOptions& options) {
  ENTENTE_RETURN_IF_ERROR(CheckOptions(labels.size(), options));
  PortableRandom random(DeriveSeed(options.seed, "split"));
  const std::vector<Indices> by_label = IndicesByLabel(labels, random);
  const size_t examples_min = static_cast<size_t>(std::max<int64_t>(options.examples_min, 1));
  for (int draw = 0; draw < kDrawsMax; ++draw) {
    std::vector<Indices> taken = options.members[0].examples.has_value()
                                     ? TakeBySize(by_label, options, random)
                                     : DivideLabels(by_label, options, random);
    const bool enough = std::all_of(
        taken.begin(), taken.end(),
        [examples_min](const Indices& indices) { return indices.size() >= examples_min; });
    if (!enough) continue;
    std::vector<MemberShare> shares;
    for (size_t m = 0; m < taken.size(); ++m) {
      shares.push_back(
          HoldOut(options.members[m].id, std::move(taken[m]), options.held_out, random));
    }
    return shares;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no split of ", labels.size(), " examples gave each of ", options.members.size(),
                   " members at least ", examples_min, "; lower --examples-min or raise --alpha"));
}

absl::StatusOr<IdxSplit> SplitIdxFiles(FileSystem& files, const SplitFiles& paths,
                                       const SplitOptions& options) {
  ENTENTE_ASSIGN_OR_RETURN(const IdxArray images, ReadIdx(files, paths.images, 2, 4));
  ENTENTE_ASSIGN_OR_RETURN(IdxArray labels, ReadIdx(files, paths.labels, 1, 1));
  if (images.shape[0] != labels.shape[0]) {
    return absl::InvalidArgumentError(
        absl::StrCat(paths.images, " holds ", images.shape[0], " images and ", paths.labels, " ",
                     labels.shape[0], " labels; there must be one label for each image"));
  }
  ENTENTE_ASSIGN_OR_RETURN(std::vector<MemberShare> shares, SplitByLabel(labels.elements, options));
  for (const MemberShare& share : shares) {
    const std::string folder = absl::StrCat(paths.output, "/", share.id);
    ENTENTE_RETURN_IF_ERROR(files.CreateFolder(folder));
    ENTENTE_RETURN_IF_ERROR(WriteExamples(files, folder + "/train", images, labels, share.train));
    ENTENTE_RETURN_IF_ERROR(
        WriteExamples(files, folder + "/held-out", images, labels, share.held_out));
  }
  return IdxSplit{.shares = std::move(shares), .labels = std::move(labels.elements)};
}

absl::StatusOr<std::vector<SplitMember>> ParseSplitMembers(const std::string& text) {
  std::vector<SplitMember> members;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::vector<std::string> fields = absl::StrSplit(part, ':');
    SplitMember member{.id = fields[0], .examples = std::nullopt};
    if (fields.size() == 2) {
      int64_t examples = 0;
      if (!absl::SimpleAtoi(fields[1], &examples) || examples < 1 || examples > INT32_MAX) {
        return absl::InvalidArgumentError(
            absl::StrCat("member \"", part, "\": \"", fields[1], "\" is not a number of examples"));
      }
      member.examples = examples;
    } else if (fields.size() > 2) {
      return absl::InvalidArgumentError(
          absl::StrCat("member \"", part, "\" must be ID or ID:EXAMPLES"));
    }
    members.push_back(std::move(member));
    if (members.size() > kMembersMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("there are more than ", kMembersMax, " members"));
    }
  }
  return members;
}

}  // namespace entente::trainer
