// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/dataset_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "common/crypto/sha256.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/sample_data.h"
#include "trainer/data/dataset.h"

namespace entente::trainer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<uint8_t> Labels(size_t count) {
  std::vector<uint8_t> labels(count);
  for (size_t i = 0; i < count; ++i) labels[i] = static_cast<uint8_t>(i % 10);
  return labels;
}

SplitOptions FiveMembers() {
  SplitOptions options;
  for (const char* const id : {"kr", "fr", "in", "br", "ca"}) {
    options.members.push_back({.id = id, .examples = std::nullopt});
  }
  return options;
}

// One digest over who got what, in which order.
std::string DigestOf(const std::vector<MemberShare>& shares) {
  std::string text;
  for (const MemberShare& share : shares) {
    text += share.id + ":";
    for (const int64_t index : share.train) text += std::to_string(index) + ",";
    text += "|";
    for (const int64_t index : share.held_out) text += std::to_string(index) + ",";
  }
  return Sha256Of(text).ToHex();
}

TEST(DatasetSplitTest, EqualSeedsGiveTheSameSplitOnEveryMachine) {
  ASSERT_OK_AND_ASSIGN(const auto shares, SplitByLabel(Labels(6000), FiveMembers()));
  SplitOptions sized = FiveMembers();
  for (SplitMember& member : sized.members) member.examples = 1000;
  ASSERT_OK_AND_ASSIGN(const auto sized_shares, SplitByLabel(Labels(6000), sized));

  // Golden: another value means that existing federations' splits have changed.
  EXPECT_EQ(DigestOf(shares), "d43cae4e7a7a919beadd412e6f1258684c6e540d40cfc2692ff20c0f66bdf7bc");
  EXPECT_EQ(DigestOf(sized_shares),
            "0ff3e0553518ffae4ea7bae81ef239326e677b4120c5e0b247163e6d1b6b41fd");
}

TEST(DatasetSplitTest, AnotherSeedGivesAnotherSplit) {
  SplitOptions other = FiveMembers();
  other.seed = 2;

  EXPECT_NE(DigestOf(*SplitByLabel(Labels(6000), FiveMembers())),
            DigestOf(*SplitByLabel(Labels(6000), other)));
}

TEST(DatasetSplitTest, EveryExampleGoesToOneMember) {
  ASSERT_OK_AND_ASSIGN(const auto shares, SplitByLabel(Labels(6000), FiveMembers()));

  std::set<int64_t> seen;
  size_t count = 0;
  for (const MemberShare& share : shares) {
    const size_t size = share.train.size() + share.held_out.size();
    EXPECT_NEAR(static_cast<double>(share.held_out.size()), static_cast<double>(size) / 10, 1);
    seen.insert(share.train.begin(), share.train.end());
    seen.insert(share.held_out.begin(), share.held_out.end());
    count += size;
  }
  EXPECT_EQ(count, 6000U);
  EXPECT_EQ(seen.size(), 6000U);
}

TEST(DatasetSplitTest, SizesAreKept) {
  SplitOptions options = FiveMembers();
  options.members = {{.id = "a", .examples = 1000}, {.id = "b", .examples = 5000}};

  ASSERT_OK_AND_ASSIGN(const auto shares, SplitByLabel(Labels(6000), options));

  EXPECT_EQ(shares[0].train.size(), 900U);
  EXPECT_EQ(shares[0].held_out.size(), 100U);
  EXPECT_EQ(shares[1].train.size() + shares[1].held_out.size(), 5000U);
}

TEST(DatasetSplitTest, ASmallAlphaSkewsLabelsAndALargeOneDoesNot) {
  const auto largest_share = [](double alpha) {
    SplitOptions options = FiveMembers();
    options.alpha = alpha;
    const auto shares = SplitByLabel(Labels(60'000), options);
    std::vector<int64_t> counts(10);
    for (const int64_t index : (*shares)[0].train) ++counts[static_cast<size_t>(index % 10)];
    return static_cast<double>(*std::max_element(counts.begin(), counts.end())) /
           static_cast<double>((*shares)[0].train.size());
  };

  EXPECT_GT(largest_share(0.5), 0.2);
  EXPECT_LT(largest_share(1000), 0.12);
}

TEST(DatasetSplitTest, WhatCannotBeSplitIsRefused) {
  const auto refused = [](void (*change)(SplitOptions&), const char* why) {
    SplitOptions options = FiveMembers();
    change(options);
    EXPECT_THAT(SplitByLabel(Labels(1000), options),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
  };

  refused([](SplitOptions& o) { o.members.clear(); }, "at least one member");
  refused([](SplitOptions& o) { o.members[0].id = "../etc"; }, "must be lower-case letters");
  refused([](SplitOptions& o) { o.members[0].id = "fr"; }, "member fr is given twice");
  refused([](SplitOptions& o) { o.members[0].examples = 5; }, "for every member or for none");
  refused([](SplitOptions& o) { o.members = {{.id = "a", .examples = 1001}}; },
          "the data holds 1000");
  refused([](SplitOptions& o) { o.alpha = 0; }, "alpha is 0");
  refused([](SplitOptions& o) { o.held_out = 1; }, "held-out share is 1");
  refused([](SplitOptions& o) { o.examples_min = 500; }, "lower --examples-min");
}

TEST(DatasetSplitTest, MembersAreParsed) {
  ASSERT_OK_AND_ASSIGN(const auto members, ParseSplitMembers("fr:100,kr"));

  EXPECT_EQ(members[0].id, "fr");
  EXPECT_EQ(members[0].examples, 100);
  EXPECT_EQ(members[1].examples, std::nullopt);
  EXPECT_THAT(ParseSplitMembers("fr:many"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("\"many\" is not a number of examples")));
  EXPECT_THAT(ParseSplitMembers("fr:1:2"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(DatasetSplitTest, EachMemberGetsAFolderOfItsOwn) {
  const TempFolder folder;
  PosixFileSystem files;
  SplitOptions options = FiveMembers();
  options.members = {{.id = "a", .examples = 30}, {.id = "b", .examples = 60}};
  options.examples_min = 1;
  const SplitFiles paths{.images = folder.Write("images.gz", Gzip(IdxBytes(SampleImages(90)))),
                         .labels = folder.Write("labels", IdxBytes(SampleLabels(90))),
                         .output = folder.File("out")};

  ASSERT_OK_AND_ASSIGN(const IdxSplit split, SplitIdxFiles(files, paths, options));

  EXPECT_EQ(split.labels.size(), 90U);
  const DatasetSource source{.format = DatasetFormat::kIdx, .directory = folder.File("out/b")};
  ASSERT_OK_AND_ASSIGN(const Examples train,
                       ReadPart(files, source, DatasetPart::kTrain, LearningTask::kClassification));
  EXPECT_EQ(train.count, 54);
  for (size_t i = 0; i < 54;
       ++i) {  // Each image still has its own label: that row is the bright one.
    EXPECT_GT(train.inputs[i * 16 + static_cast<size_t>(train.classes[i]) * 4], 0);
  }
  EXPECT_EQ(ReadPart(files, source, DatasetPart::kHeldOut, LearningTask::kClassification)->count,
            6);
}

TEST(DatasetSplitTest, ImagesAndLabelsMustBeAsMany) {
  const TempFolder folder;
  PosixFileSystem files;
  const SplitFiles paths{.images = folder.Write("images", IdxBytes(SampleImages(3))),
                         .labels = folder.Write("labels", IdxBytes(SampleLabels(4))),
                         .output = folder.File("out")};

  EXPECT_THAT(SplitIdxFiles(files, paths, FiveMembers()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one label for each image")));
}

}  // namespace
}  // namespace entente::trainer
