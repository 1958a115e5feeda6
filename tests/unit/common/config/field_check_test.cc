// SPDX-License-Identifier: Apache-2.0
#include "common/config/field_check.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::absl::StatusCode;

TEST(FieldCheckTest, NothingWrongIsOk) {
  FieldCheck check;
  check.Range("rounds", 1, 1, 10);
  check.Range("rounds", 10, 1, 10);
  check.Time("grace", absl::ZeroDuration(), absl::ZeroDuration(), absl::Hours(1));

  EXPECT_THAT(check.ToStatus(), IsOk());
}

TEST(FieldCheckTest, TheFirstMistakeIsKept) {
  FieldCheck check;
  check.Range("training.batchSize", 0, 1, 65'536);
  check.Range("rounds", 0, 1, 10);

  EXPECT_THAT(check.ToStatus(), StatusIs(StatusCode::kInvalidArgument,
                                         "training.batchSize is 0; it must be 1 to 65,536"));
}

TEST(FieldCheckTest, EachKindOfMistakeIsOneSentence) {
  const auto sentence = [](auto mistake) {
    FieldCheck check;
    mistake(check);
    return std::string(check.ToStatus().message());
  };

  EXPECT_EQ(
      sentence([](FieldCheck& c) { c.Expect("listen", false, "\"x\"", "must be host:port"); }),
      "listen is \"x\"; it must be host:port");
  EXPECT_EQ(sentence([](FieldCheck& c) { c.Number("tau", 1.5, false, "over 0, at most 1"); }),
            "tau is 1.5; it must be over 0, at most 1");
  EXPECT_EQ(sentence([](FieldCheck& c) {
              c.Time("lease", absl::Hours(48), absl::Seconds(1), absl::Hours(24));
            }),
            "lease is 2d; it must be 1s to 1d");
  EXPECT_EQ(sentence([](FieldCheck& c) { c.Present("name", false, "say what it is called"); }),
            "name is missing; say what it is called");
  EXPECT_EQ(sentence([](FieldCheck& c) { c.Fail("a.b", "is for cnn only"); }),
            "a.b is for cnn only");
}

TEST(FieldCheckTest, ANumberThatDidNotFitItsFieldIsAlwaysAMistake) {
  YamlPlaces places;
  places.Add("rounds", {.line = 4, .column = 9});
  places.AddMisfit({.path = "rounds",
                    .shown = "\"-1\"",
                    .status = absl::InvalidArgumentError("r.yaml:4:9: it does not fit")});
  FieldCheck with_range;
  with_range.Range("rounds", 0, 1, 100);
  const FieldCheck without;
  FieldCheck of_another;
  of_another.Fail("name", "is missing");

  EXPECT_EQ(with_range.ToStatus("r.yaml", places).message(),
            "r.yaml:4:9: rounds is \"-1\"; it must be 1 to 100");
  EXPECT_EQ(without.ToStatus("r.yaml", places).message(), "r.yaml:4:9: it does not fit");
  EXPECT_EQ(of_another.ToStatus("r.yaml", places).message(), "r.yaml:1:1: name is missing");
}

TEST(FieldCheckTest, AMistakeIsPlacedWhereItsFieldWasWritten) {
  YamlPlaces places;
  places.Add("training", {.line = 3, .column = 1});
  places.Add("training.batchSize", {.line = 4, .column = 14});
  FieldCheck written;
  written.Fail("training.batchSize", "is wrong");
  FieldCheck missing;
  missing.Fail("training.seed", "is missing");
  FieldCheck elsewhere;
  elsewhere.Fail("name", "is missing");

  EXPECT_EQ(written.ToStatus("r.yaml", places).message(),
            "r.yaml:4:14: training.batchSize is wrong");
  EXPECT_EQ(missing.ToStatus("r.yaml", places).message(), "r.yaml:3:1: training.seed is missing");
  EXPECT_EQ(elsewhere.ToStatus("r.yaml", places).message(), "r.yaml:1:1: name is missing");
}

}  // namespace
}  // namespace entente
