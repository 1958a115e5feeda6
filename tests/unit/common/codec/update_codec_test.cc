// SPDX-License-Identifier: Apache-2.0
#include "common/codec/update_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "common/codec/tensor_values.h"
#include "common/tensor/safetensors.h"
#include "tests/support/bytes_of.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr float kEncodedInfinity = std::numeric_limits<float>::infinity();

class EncodeUpdateTest : public ::testing::Test {
 protected:
  // Writes a canonical file of one tensor.
  void WriteSource(Dtype dtype, const std::string& bytes) {
    const uint64_t count = bytes.size() / DtypeBytes(dtype);
    folder_.Write("source", SafetensorsHeader(*Layout::Create({{"w", dtype, {count}}})) + bytes);
  }
  absl::StatusOr<Digest> Encode(UpdateEncoding encoding) {
    return EncodeUpdate(files_, {.source = folder_.File("source"),
                                 .encoding = encoding,
                                 .target = target_,
                                 .may_move_source = may_move_source_,
                                 .seed = seed_});
  }

  // Every value of the one tensor in the target.
  std::vector<float> Decode(const UpdateEncoding& encoding, uint64_t elements) {
    return DecodeFile(target_, encoding, elements);
  }
  std::vector<float> DecodeFile(const std::string& path, const UpdateEncoding& encoding,
                                uint64_t elements) {
    const auto reader = SafetensorsReader::Open(files_, path);
    EXPECT_THAT(reader, IsOk());
    EXPECT_TRUE((*reader)->is_canonical());
    std::vector<float> all;
    const auto collect = [&all](uint64_t, absl::Span<const float> values) {
      all.insert(all.end(), values.begin(), values.end());
      return absl::OkStatus();
    };
    EXPECT_THAT(
        VisitValues(**reader, {.index = 0, .elements = elements, .encoding = encoding}, collect),
        IsOk());
    return all;
  }
  std::string Target() { return *ReadTextFile(files_, target_, 10'000'000); }

  TempFolder folder_;
  FaultyFileSystem files_;
  bool may_move_source_ = false;
  uint64_t seed_ = 1;
  const std::string target_ = folder_.File("target");
};

TEST_F(EncodeUpdateTest, Fp32KeepsEveryBit) {
  const std::string bytes = BytesOf({1.0F, -0.0F, 1e-45F, 3.4e38F});
  WriteSource(Dtype::kF32, bytes);

  ASSERT_THAT(Encode(UpdateEncoding::kFp32), IsOk());

  ASSERT_OK_AND_ASSIGN(const std::string source,
                       ReadTextFile(files_, folder_.File("source"), 1000));
  ASSERT_OK_AND_ASSIGN(const std::string target, ReadTextFile(files_, target_, 1000));
  EXPECT_EQ(target, source);
}

TEST_F(EncodeUpdateTest, Bf16IsHalfTheSizeAndRounded) {
  WriteSource(Dtype::kF32, BytesOf({1.0F, 3.14159F}));

  ASSERT_THAT(Encode(UpdateEncoding::kBf16), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files_, target_));
  EXPECT_TRUE(reader->is_canonical());
  EXPECT_EQ(reader->layout().tensors()[0].dtype, Dtype::kBf16);
  char bytes[4];
  ASSERT_THAT(reader->ReadAt(0, 0, absl::MakeSpan(bytes)), IsOk());
  EXPECT_EQ(std::string(bytes, 4), std::string("\x80\x3f\x49\x40", 4));
}

TEST_F(EncodeUpdateTest, FileInAnyOrderComesOutCanonical) {
  const std::string json = R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                           R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                           R"("__metadata__":{"by":"pt"}})";
  const std::string size = {static_cast<char>(json.size()), 0, 0, 0, 0, 0, 0, 0};
  folder_.Write("source", size + json + BytesOf({2.0F, 1.0F}));

  may_move_source_ = true;
  ASSERT_THAT(Encode(UpdateEncoding::kFp32), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files_, target_));
  EXPECT_TRUE(reader->is_canonical());
  std::string bytes(4, '\0');
  ASSERT_THAT(reader->ReadAt(0, 0, absl::MakeSpan(bytes.data(), 4)), IsOk());
  EXPECT_EQ(bytes, BytesOf({1.0F}));
}

TEST_F(EncodeUpdateTest, SourceThatIsWhatIsWantedIsMovedIfItMay) {
  const std::string bytes = BytesOf({1.0F, -2.0F});
  WriteSource(Dtype::kF32, bytes);
  may_move_source_ = true;

  ASSERT_OK_AND_ASSIGN(const Digest digest, Encode(UpdateEncoding::kFp32));

  EXPECT_FALSE(files_.Exists(folder_.File("source")));
  EXPECT_EQ(Target(), SafetensorsHeader(*Layout::Create({{"w", Dtype::kF32, {2}}})) + bytes);
  EXPECT_EQ(digest, Sha256Of(Target()));
}

TEST_F(EncodeUpdateTest, SourceThatItsTrainerMadeReadOnlyIsCopied) {
  const std::string bytes = BytesOf({1.0F, -2.0F});
  WriteSource(Dtype::kF32, bytes);
  may_move_source_ = true;
  files_.read_only_path = folder_.File("source");

  ASSERT_OK_AND_ASSIGN(const Digest digest, Encode(UpdateEncoding::kFp32));

  EXPECT_EQ(Target(), SafetensorsHeader(*Layout::Create({{"w", Dtype::kF32, {2}}})) + bytes);
  EXPECT_EQ(digest, Sha256Of(Target()));
}

TEST_F(EncodeUpdateTest, SourceThatIsNotWhatIsWantedStays) {
  WriteSource(Dtype::kF32, BytesOf({1.0F, 2.0F}));
  may_move_source_ = true;
  ASSERT_THAT(Encode(UpdateEncoding::kBf16), IsOk());
  EXPECT_TRUE(files_.Exists(folder_.File("source")));

  WriteSource(Dtype::kF32, BytesOf({1.0F, std::numeric_limits<float>::quiet_NaN()}));
  EXPECT_THAT(Encode(UpdateEncoding::kFp32), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(files_.Exists(folder_.File("source")));
  EXPECT_FALSE(files_.Exists(target_));
}

TEST_F(EncodeUpdateTest, NanAndInfinityAreRefusedAndNothingIsLeft) {
  WriteSource(Dtype::kF32, BytesOf({1.0F, std::numeric_limits<float>::quiet_NaN()}));
  EXPECT_THAT(
      Encode(UpdateEncoding::kFp32),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tensor \"w\" holds nan at index 1")));
  EXPECT_FALSE(files_.Exists(target_));

  WriteSource(Dtype::kF32, BytesOf({-kEncodedInfinity}));
  EXPECT_THAT(Encode(UpdateEncoding::kBf16),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds -inf at index 0")));
  EXPECT_FALSE(files_.Exists(target_));
}

TEST_F(EncodeUpdateTest, NumberThatBf16CannotHoldIsRefused) {
  WriteSource(Dtype::kF32, BytesOf({0x1.ffp127F}));
  EXPECT_THAT(Encode(UpdateEncoding::kBf16), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Encode(UpdateEncoding::kFp32), IsOk());

  WriteSource(Dtype::kF32, BytesOf({0x1.fefffep127F}));
  EXPECT_THAT(Encode(UpdateEncoding::kBf16), IsOk());
}

TEST_F(EncodeUpdateTest, OtherTypesThanF32AreRefused) {
  WriteSource(Dtype::kF64, std::string(8, '\0'));
  EXPECT_THAT(Encode(UpdateEncoding::kFp32),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("tensor \"w\" of the update is F64"), HasSubstr("F32"))));
}

TEST_F(EncodeUpdateTest, GarbageIsRefused) {
  folder_.Write("source", "Segmentation fault (core dumped)");
  EXPECT_THAT(Encode(UpdateEncoding::kFp32), StatusIs(absl::StatusCode::kInvalidArgument,
                                                      HasSubstr("not a valid safetensors file")));
}

TEST_F(EncodeUpdateTest, MissingFileIsNotFound) {
  EXPECT_THAT(Encode(UpdateEncoding::kFp32), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(EncodeUpdateTest, FullDiskLeavesNothing) {
  WriteSource(Dtype::kF32, BytesOf({1.0F, 2.0F}));
  for (const int64_t bytes : {0, 70}) {
    files_.bytes_left = bytes;
    EXPECT_THAT(Encode(UpdateEncoding::kFp32), StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_FALSE(files_.Exists(target_));
  }
}

TEST_F(EncodeUpdateTest, Fp16RefusesWhatItCannotHold) {
  WriteSource(Dtype::kF32, BytesOf({65'519.0F}));
  EXPECT_THAT(Encode(UpdateEncoding::kFp16), IsOk());
  WriteSource(Dtype::kF32, BytesOf({65'520.0F}));
  EXPECT_THAT(Encode(UpdateEncoding::kFp16),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds 65520 at index 0")));
}

std::vector<float> SomeValues(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.01F);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

TEST_F(EncodeUpdateTest, EveryEncodingHasTheSizeThatIsKnownBefore) {
  const Layout model = *Layout::Create({{"w", Dtype::kF32, {5'001}}});
  WriteSource(Dtype::kF32, BytesOf(SomeValues(5'001, 1)));
  for (const UpdateEncoding& encoding :
       {UpdateEncoding::kFp32, UpdateEncoding::kBf16, UpdateEncoding::kFp16, UpdateEncoding::kInt8,
        UpdateEncoding::kInt4, UpdateEncoding::Topk(0.03125, TopkValues::kInt8),
        UpdateEncoding::Topk(0.5, TopkValues::k2Bit)}) {
    ASSERT_OK_AND_ASSIGN(const Digest digest, Encode(encoding));
    EXPECT_EQ(digest, *Sha256OfFile(files_, target_));
    EXPECT_EQ(Target().size(), UpdateFormOf(model, encoding).file_bytes());
    EXPECT_EQ(Decode(encoding, 5'001).size(), 5'001U);
  }
}

TEST_F(EncodeUpdateTest, SameSeedGivesTheSameBytesAndAnotherSeedOthers) {
  WriteSource(Dtype::kF32, BytesOf(SomeValues(1'000, 2)));
  ASSERT_THAT(Encode(UpdateEncoding::kInt8), IsOk());
  const std::string first = Target();
  ASSERT_THAT(Encode(UpdateEncoding::kInt8), IsOk());
  EXPECT_EQ(Target(), first);

  seed_ = 2;
  ASSERT_THAT(Encode(UpdateEncoding::kInt8), IsOk());
  EXPECT_NE(Target(), first);
}

// topk with its residual, round after round.
class ErrorFeedbackTest : public EncodeUpdateTest {
 protected:
  static constexpr size_t kCount = 270'000;  // Two pieces, and a chunk that is not whole.

  absl::StatusOr<Digest> Send(const std::vector<float>& update, double value_bound = 256) {
    WriteSource(Dtype::kF32, BytesOf(update));
    const std::string before = round_ == 0 ? "" : folder_.File(std::to_string(round_));
    ++round_;
    return EncodeUpdate(files_, {.source = folder_.File("source"),
                                 .encoding = encoding_,
                                 .target = target_,
                                 .residual = before,
                                 .next_residual = folder_.File(std::to_string(round_)),
                                 .value_bound = value_bound});
  }
  std::vector<float> Residual(size_t count) {
    return DecodeFile(folder_.File(std::to_string(round_)), UpdateEncoding::kFp32, count);
  }

  UpdateEncoding encoding_ = UpdateEncoding::Topk(0.125, TopkValues::kInt8);
  int round_ = 0;
};

TEST_F(ErrorFeedbackTest, WhatWasSentAndWhatIsLeftIsWhatWasMeant) {
  for (const TopkValues form : {TopkValues::kInt8, TopkValues::k2Bit}) {
    encoding_ = UpdateEncoding::Topk(0.125, form);
    round_ = 0;
    std::vector<double> meant(kCount);
    std::vector<double> sent(kCount);
    for (unsigned round = 0; round < 5; ++round) {
      const std::vector<float> update = SomeValues(kCount, round);
      ASSERT_THAT(Send(update), IsOk());
      const std::vector<float> decoded = Decode(encoding_, kCount);
      const std::vector<float> left = Residual(kCount);
      for (size_t i = 0; i < kCount; ++i) {
        meant[i] += update[i];
        sent[i] += decoded[i];
        ASSERT_NEAR(sent[i] + left[i], meant[i], 1e-7) << i;
      }
    }
  }
}

TEST_F(ErrorFeedbackTest, OfAnUpdateThatDoesNotChangeTheMeanSentComesNear) {
  const std::vector<float> update = SomeValues(10'000, 7);
  std::vector<double> sent(update.size());
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_THAT(Send(update), IsOk());
    const std::vector<float> decoded = Decode(encoding_, update.size());
    for (size_t i = 0; i < sent.size(); ++i) sent[i] += decoded[i];
  }
  for (size_t i = 0; i < sent.size(); ++i) ASSERT_NEAR(sent[i] / kRounds, update[i], 2e-3) << i;
}

TEST_F(ErrorFeedbackTest, WithoutAResidualItIsLost) {
  ASSERT_THAT(Send({1, 0.5F}), IsOk());
  EXPECT_THAT(Residual(2), ::testing::ElementsAre(0, 0.5F));
  round_ = 0;
  ASSERT_THAT(Send({0, 0}), IsOk());
  EXPECT_THAT(Decode(encoding_, 2), ::testing::ElementsAre(0, 0));
}

TEST_F(ErrorFeedbackTest, NothingBeyondTheBoundIsSentAndTheRestIsLeft) {
  ASSERT_THAT(Send({4, 3}, 4), IsOk());
  ASSERT_THAT(Send({0, 3}, 4), IsOk());
  EXPECT_THAT(Decode(encoding_, 2), ::testing::ElementsAre(0, ::testing::FloatNear(4, 1e-6F)));
  EXPECT_THAT(Residual(2), ::testing::ElementsAre(0, ::testing::FloatNear(2, 1e-6F)));

  EXPECT_THAT(Send({0, 5}, 4), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("holds 5 at index 1; values beyond 4")));
}

TEST_F(ErrorFeedbackTest, ResidualOfAnotherModelIsRefusedAndNothingIsLeft) {
  ASSERT_THAT(Send({1, 2, 3}), IsOk());
  EXPECT_THAT(Send({1, 2}), StatusIs(absl::StatusCode::kFailedPrecondition,
                                     HasSubstr("residual of the earlier updates")));
  EXPECT_FALSE(files_.Exists(target_));
  EXPECT_FALSE(files_.Exists(folder_.File("2")));
}

TEST_F(ErrorFeedbackTest, SpoiltResidualCountsForNothingWhereItIsSpoilt) {
  ASSERT_THAT(Send({1, 2}), IsOk());
  folder_.Write("1", SafetensorsHeader(*Layout::Create({{"w", Dtype::kF32, {2}}})) +
                         BytesOf({std::numeric_limits<float>::quiet_NaN(), 1.0F}));
  ASSERT_THAT(Send({0, 2}), IsOk());
  EXPECT_THAT(Decode(encoding_, 2), ::testing::ElementsAre(0, ::testing::FloatNear(3, 1e-6F)));
}

TEST_F(ErrorFeedbackTest, FullDiskLeavesNothing) {
  // The update takes 64 + 7 bytes, the residual 64 + 8: full in each header and in each body.
  for (const int64_t bytes : {0, 70, 100, 140}) {
    round_ = 0;
    files_.bytes_left = bytes;
    EXPECT_THAT(Send({1, 2}), StatusIs(absl::StatusCode::kResourceExhausted)) << bytes;
    EXPECT_FALSE(files_.Exists(target_));
    EXPECT_FALSE(files_.Exists(folder_.File("1")));
  }
}

}  // namespace
}  // namespace entente
