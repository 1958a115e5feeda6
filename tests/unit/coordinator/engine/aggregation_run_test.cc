// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/aggregation_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/codec/update_codec.h"
#include "common/tensor/safetensors.h"
#include "coordinator/models/rounded_model.h"
#include "tests/support/bytes_of.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::engine {
namespace {

using optimizer::OptimizerName;
using ::testing::AllOf;
using ::testing::HasSubstr;

class AggregationRunTest : public ::testing::Test {
 protected:
  AggregationRunTest() : store_(*models::ModelStore::Create(files_, folder_.File("models"))) {
    request_.label = "job/0-1";
  }

  Digest Store(const std::string& bytes) {
    const std::string path = store_->TemporaryPath("test");
    EXPECT_THAT(WriteTextFile(files_, path, bytes), IsOk());
    return *store_->Adopt(path);
  }

  // A model of one tensor "w", and updates of it.
  Digest StoreModel(const std::vector<float>& values) {
    return Store(SafetensorsHeader(Model(values.size())) + BytesOf(values));
  }
  static Layout Model(size_t size) { return *Layout::Create({{"w", Dtype::kF32, {size}}}); }
  void AddUpdate(const std::string& worker, double weight, const std::vector<float>& values) {
    const std::string path = folder_.Write(
        absl::StrCat("spool/", worker), SafetensorsHeader(Model(values.size())) + BytesOf(values));
    request_.updates[WorkerId(worker)] = {.path = path, .weight = weight};
  }

  absl::StatusOr<AggregationOutcome> Run(int thread_count = 1) {
    ThreadPool pool(thread_count);  // As many, so that none of its loops waits for another's end.
    return RunAggregation(request_, *store_, files_, pool, thread_count);
  }
  // Tensor `index` of a stored file.
  template <typename T>
  std::vector<T> Values(const Digest& digest, size_t index = 0) {
    const auto reader = store_->OpenModel(digest);
    EXPECT_THAT(reader, IsOk());
    std::vector<T> values((*reader)->layout().tensors()[index].ElementCount());
    EXPECT_THAT((*reader)->ReadAt(index, 0,
                                  absl::MakeSpan(reinterpret_cast<char*>(values.data()),
                                                 values.size() * sizeof(T))),
                IsOk());
    return values;
  }
  size_t StoredFiles() { return files_.ListFiles(folder_.File("models"))->size(); }

  TempFolder folder_;
  FaultyFileSystem files_;
  std::unique_ptr<models::ModelStore> store_;
  AggregationRequest request_;
};

TEST_F(AggregationRunTest, FedAvgIsTheBasePlusTheWeightedMean) {
  request_.base_model = StoreModel({1, 2, 3});
  AddUpdate("a/1", 0.25, {4, 0, -8});
  AddUpdate("b/1", 0.75, {0, 4, 8});

  ASSERT_OK_AND_ASSIGN(const AggregationOutcome outcome, Run());

  EXPECT_EQ(Values<float>(outcome.model), (std::vector<float>{2, 5, 7}));
  EXPECT_TRUE(outcome.optimizer_state.IsNone());
  EXPECT_EQ(StoredFiles(), 2u);
  ASSERT_OK_AND_ASSIGN(const auto model, store_->OpenModel(outcome.model));
  EXPECT_TRUE(model->is_canonical());
}

TEST_F(AggregationRunTest, Bf16UpdatesAreDecoded) {
  request_.base_model = StoreModel({1, 2});
  const Layout layout = *Layout::Create({{"w", Dtype::kBf16, {2}}});
  const std::string path =
      folder_.Write("spool/a", SafetensorsHeader(layout) + std::string("\x80\x3f\x00\xc0", 4));
  request_.updates[WorkerId("a/1")] = {.path = path, .weight = 1};
  request_.encoding = UpdateEncoding::kBf16;

  ASSERT_OK_AND_ASSIGN(const AggregationOutcome outcome, Run());

  EXPECT_EQ(Values<float>(outcome.model), (std::vector<float>{2, 0}));
}

TEST_F(AggregationRunTest, RoundedCopyIsMadeWithTheModelAndIsTheOneThatIsMadeOfIt) {
  const Layout model =
      *Layout::Create({{"batches", Dtype::kI64, {}}, {"w", Dtype::kF32, {40'000}}});
  std::vector<float> base(40'000);
  for (size_t i = 0; i < base.size(); ++i) base[i] = 1.0F / static_cast<float>(i + 3);
  request_.base_model = Store(SafetensorsHeader(model) + BytesOf<int64_t>({77}) + BytesOf(base));
  AddUpdate("a/1", 1, std::vector<float>(base.size(), 0.1F));
  request_.rounds_model = true;

  for (const int threads : {1, 3}) {
    ASSERT_OK_AND_ASSIGN(const AggregationOutcome outcome, Run(threads));

    const Digest rounded = store_->RoundedOf(outcome.model);
    ASSERT_FALSE(rounded.IsNone());
    EXPECT_EQ(Values<int64_t>(rounded, 0), std::vector<int64_t>{77});
    EXPECT_EQ(StoredFiles(), 4U);  // Base, model, copy, and which copy it is.
    ASSERT_THAT(files_.Remove(store_->PathOf(outcome.model) + ".bf16"), IsOk());
    ASSERT_THAT(files_.Remove(store_->PathOf(rounded)), IsOk());
    ASSERT_OK_AND_ASSIGN(const Digest again,
                         models::RoundModel(*store_, files_, outcome.model, "test"));
    EXPECT_EQ(again, rounded);
  }
}

TEST_F(AggregationRunTest, ModelThatIsTooLargeForItsRoundedCopyIsRefused) {
  request_.base_model = StoreModel({0, std::numeric_limits<float>::max()});
  AddUpdate("a/1", 1, {0, 0});
  request_.rounds_model = true;

  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                              AllOf(HasSubstr("cannot be downloaded in bf16: tensor \"w\" holds"),
                                    HasSubstr("at index 1"))));
  EXPECT_EQ(StoredFiles(), 1U);
}

TEST_F(AggregationRunTest, FullDiskWhileTheRoundedCopyIsWrittenLeavesNothing) {
  request_.base_model = StoreModel({0, 1});
  AddUpdate("a/1", 1, {1, 1});
  request_.rounds_model = true;
  files_.FailWrites("-rounded", 1);

  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(StoredFiles(), 1U);
  files_.FailWrites("-which", 1);
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kResourceExhausted));
  ASSERT_OK_AND_ASSIGN(const AggregationOutcome outcome, Run());
  EXPECT_FALSE(store_->RoundedOf(outcome.model).IsNone());
}

TEST_F(AggregationRunTest, RunThatIsStoppedLeavesNothingAndGivesTheSameWhenRepeated) {
  request_.base_model = StoreModel(std::vector<float>(20'000, 1.0F));
  AddUpdate("a/1", 0.25, std::vector<float>(20'000, 0.3F));
  AddUpdate("b/1", 0.75, std::vector<float>(20'000, -0.7F));
  request_.optimizer.name = OptimizerName::kMomentum;
  request_.block_elements = 4096;
  ASSERT_OK_AND_ASSIGN(const AggregationOutcome undisturbed, Run(2));
  ASSERT_THAT(files_.Remove(store_->PathOf(undisturbed.model)), IsOk());
  ASSERT_THAT(files_.Remove(store_->PathOf(undisturbed.optimizer_state)), IsOk());
  ASSERT_EQ(StoredFiles(), 1U);

  std::atomic<bool> is_stopping{true};
  request_.is_stopping = &is_stopping;
  for (const int threads : {1, 3}) {
    EXPECT_THAT(Run(threads), StatusIs(absl::StatusCode::kCancelled));
    EXPECT_EQ(StoredFiles(), 1U);
  }

  is_stopping = false;
  ASSERT_OK_AND_ASSIGN(const AggregationOutcome repeated, Run(3));
  EXPECT_EQ(repeated.model, undisturbed.model);
  EXPECT_EQ(repeated.optimizer_state, undisturbed.optimizer_state);
}

TEST_F(AggregationRunTest, IntegerTensorsKeepTheBaseModelsValues) {
  const Layout model = *Layout::Create(
      {{"batches", Dtype::kI64, {}}, {"empty", Dtype::kF32, {0}}, {"w", Dtype::kF32, {1}}});
  request_.base_model =
      Store(SafetensorsHeader(model) + BytesOf<int64_t>({77}) + BytesOf<float>({1}));
  const Layout update = model.UpdateLayout(Dtype::kF32);
  const std::string path =
      folder_.Write("spool/a", SafetensorsHeader(update) + BytesOf<float>({0.5F}));
  request_.updates[WorkerId("a/1")] = {.path = path, .weight = 1};
  request_.optimizer.name = OptimizerName::kMomentum;

  ASSERT_OK_AND_ASSIGN(const AggregationOutcome outcome, Run(2));

  EXPECT_EQ(Values<int64_t>(outcome.model, 0), std::vector<int64_t>{77});
  EXPECT_EQ(Values<float>(outcome.model, 2), std::vector<float>{1.5F});
  EXPECT_EQ(Values<double>(outcome.optimizer_state, 1), std::vector<double>{0.5});
}

TEST_F(AggregationRunTest, StateGoesFromRoundToRound) {
  request_.base_model = StoreModel({0});
  request_.optimizer = {
      .name = OptimizerName::kAdam, .learning_rate = 2, .beta1 = 0.5, .beta2 = 0.75, .tau = 1};
  AddUpdate("a/1", 1, {4});
  ASSERT_OK_AND_ASSIGN(const AggregationOutcome first, Run());
  EXPECT_EQ(Values<float>(first.model), std::vector<float>{4.0F / 3});
  EXPECT_EQ(Values<double>(first.optimizer_state, 0), std::vector<double>{2});
  EXPECT_EQ(Values<double>(first.optimizer_state, 1), std::vector<double>{4});

  request_.base_model = first.model;
  request_.optimizer_state = first.optimizer_state;
  AddUpdate("a/1", 1, {0});
  ASSERT_OK_AND_ASSIGN(const AggregationOutcome second, Run());

  EXPECT_EQ(Values<double>(second.optimizer_state, 0), std::vector<double>{1});
  EXPECT_EQ(Values<double>(second.optimizer_state, 1), std::vector<double>{3});
  EXPECT_EQ(Values<float>(second.model),
            std::vector<float>{static_cast<float>(double{4.0F / 3} + 2 / (std::sqrt(3.0) + 1))});
}

TEST_F(AggregationRunTest, AdagradWithoutMomentumKeepsOneState) {
  request_.base_model = StoreModel({0});
  request_.optimizer = {.name = OptimizerName::kAdagrad, .learning_rate = 2, .beta1 = 0, .tau = 1};
  AddUpdate("a/1", 1, {3});
  ASSERT_OK_AND_ASSIGN(const AggregationOutcome outcome, Run());
  EXPECT_EQ(Values<float>(outcome.model), std::vector<float>{1.5F});
  ASSERT_OK_AND_ASSIGN(const auto state, store_->OpenModel(outcome.optimizer_state));
  ASSERT_EQ(state->layout().tensors().size(), 1u);
  EXPECT_EQ(state->layout().tensors()[0].name, "v/w");
}

// Several tensors, some larger than a block, and an optimizer with two states.
class LargeAggregationTest : public AggregationRunTest {
 protected:
  LargeAggregationTest() {
    const std::string base = SafetensorsHeader(kModel) + Random(1) + std::string(800'000, '\7');
    request_.base_model = Store(base);
    request_.optimizer = {.name = OptimizerName::kYogi, .learning_rate = 0.1};
    for (unsigned i = 0; i < 5; ++i) {
      // Written in one order; what a run gets is a map, so arrival has no other way to matter.
      const unsigned arrival = (i * 3 + 2) % 5;
      const std::string path =
          folder_.Write(absl::StrCat("spool/", arrival),
                        SafetensorsHeader(kModel.UpdateLayout(Dtype::kF32)) + Random(10 + arrival));
      request_.updates[WorkerId(absl::StrCat("m", arrival, "/w"))] = {
          .path = path, .weight = (1.0 + arrival) / 15};
    }
  }

  static std::string Random(unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, 0.05F);
    std::vector<float> values(kModel.FloatElementCount());
    for (float& value : values) value = normal(random);
    return BytesOf(values);
  }

  inline static const Layout kModel = *Layout::Create({{"a.weight", Dtype::kF32, {300, 1000}},
                                                       {"b.bias", Dtype::kF32, {17}},
                                                       {"c.scale", Dtype::kF32, {}},
                                                       {"d.weight", Dtype::kF32, {65'536}},
                                                       {"z.count", Dtype::kI64, {100'000}}});
};

TEST_F(LargeAggregationTest, NeitherThreadsNorBlocksChangeABit) {
  ASSERT_OK_AND_ASSIGN(const AggregationOutcome expected, Run(1));
  // Of the default blocks there are too few for 16 threads.
  for (const size_t block_elements : {kBlockElements, size_t{4} << 10, size_t{64} << 10}) {
    request_.block_elements = block_elements;
    for (const int threads : {1, 2, 3, 16}) {
      SCOPED_TRACE(absl::StrCat(threads, " threads, blocks of ", block_elements));
      ASSERT_OK_AND_ASSIGN(const AggregationOutcome outcome, Run(threads));
      EXPECT_EQ(outcome.model, expected.model);
      EXPECT_EQ(outcome.optimizer_state, expected.optimizer_state);
    }
  }
}

TEST_F(AggregationRunTest, BlockThatWouldCutOneOfTheEncodingIsRefused) {
  request_.base_model = StoreModel({1});
  AddUpdate("a/1", 1, {0.5F});
  request_.encoding = UpdateEncoding::Topk(0.25, TopkValues::kInt8);
  request_.block_elements = 256;

  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr("a block of 256 numbers would cut those of topk; take a "
                                        "multiple of 4096")));
  EXPECT_EQ(StoredFiles(), 1U);
}

TEST(BlockElementsTest, AreWholeBlocksOfEveryEncoding) {
  for (const UpdateEncoding& encoding :
       {UpdateEncoding::kFp32, UpdateEncoding::kBf16, UpdateEncoding::kFp16, UpdateEncoding::kInt8,
        UpdateEncoding::kInt4, UpdateEncoding::Topk(0.1, TopkValues::k2Bit)}) {
    EXPECT_EQ(kBlockElements % AlignmentElements(encoding), 0U) << EncodingName(encoding.kind);
  }
}

TEST_F(LargeAggregationTest, OrderOfWorkersChangesNoBit) {
  ASSERT_OK_AND_ASSIGN(const AggregationOutcome expected, Run(2));
  std::vector<AggregationInput> inputs;
  for (const auto& [worker, input] : request_.updates) inputs.push_back(input);
  std::mt19937 random(7);
  for (int i = 0; i < 5; ++i) {
    std::shuffle(inputs.begin(), inputs.end(), random);
    request_.updates.clear();
    for (const AggregationInput& input : inputs) {
      request_.updates[WorkerId(absl::StrCat("w", request_.updates.size(), "/w"))] = input;
    }
    ASSERT_OK_AND_ASSIGN(const AggregationOutcome outcome, Run(2));
    EXPECT_EQ(outcome.model, expected.model);
  }
}

TEST_F(LargeAggregationTest, EveryElementIsTheFormulas) {
  request_.optimizer = {.name = OptimizerName::kSgd, .learning_rate = 0.5};
  ASSERT_OK_AND_ASSIGN(const AggregationOutcome outcome, Run(3));
  const std::vector<float> base = Values<float>(request_.base_model);
  const std::vector<float> next = Values<float>(outcome.model);
  std::vector<double> mean(base.size());
  for (const auto& [worker, input] : request_.updates) {
    ASSERT_OK_AND_ASSIGN(const auto update, SafetensorsReader::Open(files_, input.path));
    std::vector<float> values(base.size());
    ASSERT_THAT(update->ReadAt(0, 0,
                               absl::MakeSpan(reinterpret_cast<char*>(values.data()),
                                              values.size() * sizeof(float))),
                IsOk());
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += input.weight * values[i];
  }
  for (size_t i = 0; i < next.size(); ++i) {
    ASSERT_NEAR(next[i], base[i] + 0.5 * mean[i], 1e-7) << i;
  }
  EXPECT_EQ(Values<int64_t>(outcome.model, 4), Values<int64_t>(request_.base_model, 4));
}

TEST_F(AggregationRunTest, MoreUpdatesThanAProcessMayOpenFilesAreNoMatter) {
  request_.base_model = StoreModel({1});
  AddUpdate("a/1", 1.0 / 2048, {4});
  const AggregationInput input = request_.updates.begin()->second;
  for (int i = 1; i < 2048; ++i) request_.updates[WorkerId(absl::StrCat("b/", i))] = input;

  ASSERT_OK_AND_ASSIGN(const AggregationOutcome outcome, Run());

  EXPECT_EQ(Values<float>(outcome.model), std::vector<float>{5});
}

TEST_F(AggregationRunTest, ResultThatIsNotFiniteNamesTheTensorAndLeavesNothing) {
  request_.base_model = StoreModel({1, std::numeric_limits<float>::max()});
  request_.value_bound = 0x1p20;
  request_.optimizer = {.name = OptimizerName::kMomentum, .learning_rate = 1e35};
  AddUpdate("a/1", 1, {0, 0x1p20F});

  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                              AllOf(HasSubstr("would not be finite: tensor \"w\""),
                                    HasSubstr("at index 1"))));
  EXPECT_EQ(StoredFiles(), 1u);
}

TEST_F(AggregationRunTest, FullDiskLeavesNothingAndALaterTryWorks) {
  request_.base_model = StoreModel({1, 2, 3});
  request_.optimizer.name = OptimizerName::kMomentum;
  AddUpdate("a/1", 1, {1, 1, 1});
  for (const char* const file : {"-model", "-state"}) {
    files_.FailWrites(file, 1);
    EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kResourceExhausted)) << file;
    EXPECT_EQ(StoredFiles(), 1u) << file;
  }
  // The model takes 64 + 12 bytes, the state 64 + 24: full in its header and in its body.
  for (const int64_t bytes : {110, 150}) {
    files_.bytes_left = bytes;
    EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kResourceExhausted)) << bytes;
    EXPECT_EQ(StoredFiles(), 1u) << bytes;
  }

  files_.bytes_left = 10'000;
  EXPECT_THAT(Run(), IsOk());
  EXPECT_EQ(StoredFiles(), 3u);
}

// Others write to the same disk.
TEST_F(AggregationRunTest, WhatCannotFitIsNotBegun) {
  request_.base_model = StoreModel({1, 2, 3});
  request_.optimizer.name = OptimizerName::kMomentum;
  AddUpdate("a/1", 1, {1, 1, 1});
  files_.bytes_left = 99;

  EXPECT_THAT(Run(),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("100 bytes are needed")));

  EXPECT_EQ(files_.bytes_left, 99);
}

TEST_F(AggregationRunTest, FailedSyncOrRenameLeavesNothing) {
  request_.base_model = StoreModel({1, 2, 3});
  request_.optimizer.name = OptimizerName::kMomentum;
  AddUpdate("a/1", 1, {1, 1, 1});

  files_.sync_fails = true;
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(StoredFiles(), 1u);
  files_.sync_fails = false;
  files_.rename_fails = true;
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(StoredFiles(), 1u);

  files_.rename_fails = false;
  EXPECT_THAT(Run(), IsOk());
}

TEST_F(AggregationRunTest, UpdateThatVanishedOrChangedIsReported) {
  request_.base_model = StoreModel({1, 2});
  AddUpdate("a/1", 0.5, {1, 1});
  AddUpdate("b/1", 0.5, {1, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kDataLoss,
                              AllOf(HasSubstr("the update of b/1 changed"), HasSubstr("nan"))));

  AddUpdate("b/1", 0.5, {1, 1, 1});
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("bytes instead of")));

  ASSERT_THAT(files_.Remove(request_.updates[WorkerId("b/1")].path), IsOk());
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(StoredFiles(), 1u);
}

TEST_F(AggregationRunTest, MissingBaseModelOrStateIsNotFound) {
  AddUpdate("a/1", 1, {1});
  request_.base_model = Sha256Of("nothing");
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kNotFound));

  request_.base_model = StoreModel({1});
  request_.optimizer.name = OptimizerName::kAdam;
  request_.optimizer_state = Sha256Of("nothing");
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(AggregationRunTest, StateOfAnotherOptimizerIsRefused) {
  request_.base_model = StoreModel({1});
  AddUpdate("a/1", 1, {1});
  request_.optimizer.name = OptimizerName::kMomentum;
  ASSERT_OK_AND_ASSIGN(const AggregationOutcome outcome, Run());

  request_.optimizer.name = OptimizerName::kAdam;
  request_.optimizer_state = outcome.optimizer_state;

  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument,
                              AllOf(HasSubstr("does not fit the model"), HasSubstr("v/w"))));
}

TEST_F(AggregationRunTest, ModelThatIsNotF32IsRefused) {
  const Layout model = *Layout::Create({{"w", Dtype::kF64, {1}}});
  request_.base_model = Store(SafetensorsHeader(model) + std::string(8, '\0'));
  AddUpdate("a/1", 1, {1});
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"w\" is F64")));
}

TEST_F(AggregationRunTest, NoUpdatesAreRefused) {
  request_.base_model = StoreModel({1});
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not 0")));
}

// The same numbers, which every encoding writes without an error, give the same model however each
// update is encoded, over more than one block.
TEST_F(AggregationRunTest, EncodingsMixAndChangeNothingThatTheyDoNotRound) {
  constexpr size_t kSize = 150'000;
  const std::string model_bytes = SafetensorsHeader(Model(kSize)) + std::string(4 * kSize, '\0');
  request_.base_model = Store(model_bytes);
  std::vector<float> values(kSize);
  for (size_t i = 0; i < kSize; i += 16) values[i] = i % 32 == 0 ? 127 : -127;
  const std::string source =
      folder_.Write("source", SafetensorsHeader(Model(kSize)) + BytesOf(values));
  const auto run_with = [&](const UpdateEncoding& encoding) {
    request_.encoding = encoding;
    request_.updates.clear();
    for (const auto& [name, its_encoding] :
         {std::pair<std::string, UpdateEncoding>{"a", encoding}, {"b", UpdateEncoding::kFp32}}) {
      const std::string path = folder_.File("update-" + name);
      EXPECT_THAT(
          EncodeUpdate(files_, {.source = source, .encoding = its_encoding, .target = path}),
          IsOk());
      request_.updates[WorkerId(name + "/1")] = {.path = path, .weight = 0.5};
    }
    const auto outcome = Run(2);
    EXPECT_THAT(outcome, IsOk());
    return outcome->model;
  };
  const Digest expected = run_with(UpdateEncoding::kFp32);
  EXPECT_EQ(Values<float>(expected), values);
  for (const UpdateEncoding& encoding :
       {UpdateEncoding::kBf16, UpdateEncoding::kFp16, UpdateEncoding::kInt8,
        UpdateEncoding::Topk(0.0625, TopkValues::kInt8),
        UpdateEncoding::Topk(0.0625, TopkValues::k2Bit)}) {
    EXPECT_EQ(run_with(encoding), expected) << EncodingName(encoding.kind);
  }
}

}  // namespace
}  // namespace entente::engine
