// SPDX-License-Identifier: Apache-2.0
#include "common/base/unknown_option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace entente {
namespace {

using ::testing::Optional;

const std::vector<std::string> kKnownOptions = {"--config", "--check-config", "--log-level"};

std::optional<std::string> SentenceOf(const std::vector<std::string>& unknown) {
  return UnknownWordSentence("entente-worker", unknown, kKnownOptions);
}

TEST(UnknownOptionTest, NearestKnownOptionIsSuggested) {
  EXPECT_THAT(SentenceOf({"--confg", "worker.yaml"}),
              Optional(std::string("unknown option \"--confg\"; did you mean \"--config\"?")));
  EXPECT_THAT(
      SentenceOf({"--log-levle=debug"}),
      Optional(std::string("unknown option \"--log-levle\"; did you mean \"--log-level\"?")));
}

TEST(UnknownOptionTest, OptionLikeNoneLeadsToTheHelp) {
  EXPECT_THAT(SentenceOf({"--sandbox"}),
              Optional(std::string("unknown option \"--sandbox\"; see \"entente-worker --help\"")));
}

TEST(UnknownOptionTest, OtherWordsAreUnexpected) {
  EXPECT_THAT(SentenceOf({"--", "start"}),
              Optional(std::string("unexpected word \"start\"; see \"entente-worker --help\"")));
}

TEST(UnknownOptionTest, NothingUnknownIsFine) { EXPECT_EQ(SentenceOf({}), std::nullopt); }

// As much of CLI11 as is used.
struct FakeOption {
  std::vector<std::string> names;
  const std::vector<std::string>& get_lnames() const { return names; }
};
struct FakeApp {
  std::vector<const FakeOption*> options;
  std::vector<const FakeApp*> chosen;
  std::vector<std::string> unknown;
  std::string get_name() const { return "entente-trainer"; }
  std::vector<const FakeOption*> get_options() const { return options; }
  std::vector<const FakeApp*> get_subcommands() const { return chosen; }
  std::vector<std::string> remaining(bool) const { return unknown; }
};

TEST(UnknownOptionTest, OptionsOfTheChosenSubcommandAreKnownToo) {
  const FakeOption recipe{{"recipe"}};
  const FakeApp init{.options = {&recipe}, .chosen = {}, .unknown = {}};
  const FakeApp app{.options = {}, .chosen = {&init}, .unknown = {"--recip"}};

  EXPECT_THAT(UnknownWordSentence(app),
              Optional(std::string("unknown option \"--recip\"; did you mean \"--recipe\"?")));
}

}  // namespace
}  // namespace entente
