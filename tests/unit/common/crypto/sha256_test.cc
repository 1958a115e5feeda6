// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/sha256.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// FIPS 180-4's examples, as NIST publishes them.
constexpr char kOfNothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char kOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kOfTwoBlocks[] = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
constexpr char kOfAMillionAs[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256Test, AgreesWithThePublishedExamples) {
  EXPECT_EQ(Sha256Of("").ToHex(), kOfNothing);
  EXPECT_EQ(Sha256Of("abc").ToHex(), kOfAbc);
  EXPECT_EQ(Sha256Of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").ToHex(),
            kOfTwoBlocks);
  EXPECT_EQ(Sha256Of(std::string(1'000'000, 'a')).ToHex(), kOfAMillionAs);
}

TEST(Sha256Test, PiecesGiveTheDigestOfTheWhole) {
  Sha256 hash;

  hash.Update("a");
  hash.Update("");
  hash.Update("bc");

  EXPECT_EQ(hash.Current().ToHex(), kOfAbc);
}

TEST(Sha256Test, UpdatesGoOnAfterALook) {
  Sha256 hash;
  EXPECT_EQ(hash.Current().ToHex(), kOfNothing);
  hash.Update("ab");
  EXPECT_EQ(hash.Current(), hash.Current());

  hash.Update("c");

  EXPECT_EQ(hash.Current().ToHex(), kOfAbc);
}

TEST(Sha256Test, MovesWithWhatItHasSeen) {
  Sha256 hash;
  hash.Update("ab");

  Sha256 moved = std::move(hash);
  moved.Update("c");

  EXPECT_EQ(moved.Current().ToHex(), kOfAbc);
}

TEST(Sha256Test, FileHasTheDigestOfItsBytes) {
  const TempFolder folder;
  PosixFileSystem files;
  const std::string large(3'000'001, 'x');  // Over two of the pieces it is read in.

  ASSERT_OK_AND_ASSIGN(const Digest of_large, Sha256OfFile(files, folder.Write("large", large)));
  ASSERT_OK_AND_ASSIGN(const Digest of_empty, Sha256OfFile(files, folder.Write("empty", "")));

  EXPECT_EQ(of_large, Sha256Of(large));
  EXPECT_EQ(of_empty.ToHex(), kOfNothing);
}

TEST(Sha256Test, MissingFileIsNotFound) {
  const TempFolder folder;
  PosixFileSystem files;

  EXPECT_THAT(Sha256OfFile(files, folder.File("missing")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("missing")));
}

TEST(Sha256Test, FaultOfAFileSaysHowItIsNotTheOneExpected) {
  const TempFolder folder;
  PosixFileSystem files;
  const std::string path = folder.Write("file", "abc");

  EXPECT_EQ(FaultOfFile(files, path, Sha256Of("abc")), "");
  EXPECT_EQ(FaultOfFile(files, path, Sha256Of("abd")),
            absl::StrCat("is damaged: its SHA-256 is ", kOfAbc));
  EXPECT_EQ(FaultOfFile(files, folder.File("no/file"), Sha256Of("abc")), "is missing");
  EXPECT_THAT(FaultOfFile(files, folder.path(), Sha256Of("abc")),
              AllOf(HasSubstr("cannot be read ("), HasSubstr(folder.path())));
}

TEST(DigestTest, HexComesBackAsItWas) {
  ASSERT_OK_AND_ASSIGN(const Digest digest, Digest::FromHex(kOfAbc));

  EXPECT_EQ(digest.ToHex(), kOfAbc);
  EXPECT_EQ(digest, Sha256Of("abc"));
}

TEST(DigestTest, TextThatIsNoDigestIsRefused) {
  const std::string good = kOfAbc;
  std::string upper = good;
  upper[0] = 'B';
  std::string letter = good;
  letter[63] = 'g';

  for (const std::string& bad : {std::string(), good.substr(1), good + "0", upper, letter,
                                 " " + good.substr(1), std::string(64, '\n')}) {
    EXPECT_THAT(Digest::FromHex(bad), StatusIs(absl::StatusCode::kInvalidArgument,
                                               HasSubstr("64 lower-case hexadecimal digits")))
        << bad;
  }
}

TEST(DigestTest, OverlongTextIsNotRepeatedInFull) {
  const auto refused = Digest::FromHex(std::string(10'000, 'x'));

  EXPECT_LT(refused.status().message().size(), 200U);
}

TEST(DigestTest, DefaultIsNone) {
  EXPECT_TRUE(Digest().IsNone());
  EXPECT_FALSE(Sha256Of("").IsNone());
  EXPECT_EQ(Digest().ToHex(), std::string(64, '0'));
}

TEST(DigestTest, DigestsAreOrderedByTheirBytes) {
  ASSERT_OK_AND_ASSIGN(const Digest low, Digest::FromHex("7f" + std::string(62, 'f')));
  ASSERT_OK_AND_ASSIGN(const Digest high, Digest::FromHex("80" + std::string(62, '0')));

  EXPECT_LT(low, high);
}

TEST(DigestTest, EqualDigestsHashAndPrintAlike) {
  const Digest one = Sha256Of("abc");
  const Digest two = *Digest::FromHex(kOfAbc);
  std::ostringstream out;
  out << one;

  EXPECT_EQ(absl::Hash<Digest>()(one), absl::Hash<Digest>()(two));
  EXPECT_EQ(out.str(), kOfAbc);
}

}  // namespace
}  // namespace entente
