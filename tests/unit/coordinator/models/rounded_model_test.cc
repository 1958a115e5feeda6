// SPDX-License-Identifier: Apache-2.0
// Its bytes are in tests/golden/rounded_model_test.cc.
#include "coordinator/models/rounded_model.h"

#include <gmock/gmock.h>

#include <limits>
#include <memory>
#include <vector>

#include "common/tensor/safetensors.h"
#include "tests/support/bytes_of.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::models {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class RoundedModelTest : public ::testing::Test {
 protected:
  RoundedModelTest() : store_(*ModelStore::Create(files_, folder_.File("models"))) {}

  Digest Store(const std::vector<float>& values) {
    const Layout layout =
        *Layout::Create({{"batches", Dtype::kI64, {1}}, {"w", Dtype::kF32, {values.size()}}});
    const std::string path = store_->TemporaryPath("test");
    EXPECT_THAT(WriteTextFile(files_, path,
                              SafetensorsHeader(layout) + BytesOf<int64_t>({7}) + BytesOf(values)),
                IsOk());
    return *store_->Adopt(path);
  }
  size_t StoredFiles() { return files_.ListFiles(folder_.File("models"))->size(); }

  TempFolder folder_;
  FaultyFileSystem files_;
  std::unique_ptr<ModelStore> store_;
};

TEST_F(RoundedModelTest, CopyIsFoundAgainAlsoAfterARestart) {
  const Digest model = Store({1, 2});
  EXPECT_TRUE(store_->RoundedOf(model).IsNone());
  ASSERT_OK_AND_ASSIGN(const Digest rounded, RoundModel(*store_, files_, model, "test"));

  store_ = *ModelStore::Create(files_, folder_.File("models"));

  EXPECT_EQ(store_->RoundedOf(model), rounded);
  EXPECT_EQ(StoredFiles(), 3U);
  ASSERT_OK_AND_ASSIGN(const auto reader, store_->OpenModel(rounded));
  EXPECT_TRUE(reader->is_canonical());
  EXPECT_EQ(reader->layout(), RoundedLayout((*store_->OpenModel(model))->layout()));
}

TEST_F(RoundedModelTest, CopyThatIsGoneIsNoneAndIsMadeAgainAsItWas) {
  const Digest model = Store({1, 2});
  ASSERT_OK_AND_ASSIGN(const Digest rounded, RoundModel(*store_, files_, model, "test"));
  ASSERT_THAT(files_.Remove(store_->PathOf(rounded)), IsOk());

  EXPECT_TRUE(store_->RoundedOf(model).IsNone());
  ASSERT_OK_AND_ASSIGN(const Digest again, RoundModel(*store_, files_, model, "test"));

  EXPECT_EQ(again, rounded);
  EXPECT_EQ(store_->RoundedOf(model), rounded);
}

TEST_F(RoundedModelTest, NameThatTheDiskHasSpoiltIsNone) {
  const Digest model = Store({1, 2});
  ASSERT_THAT(WriteTextFile(files_, store_->PathOf(model) + ".bf16", "not a digest"), IsOk());

  EXPECT_TRUE(store_->RoundedOf(model).IsNone());
}

TEST_F(RoundedModelTest, NumberThatIsTooLargeIsRefusedByItsPlace) {
  const Digest model = Store({1, std::numeric_limits<float>::max()});

  EXPECT_THAT(RoundModel(*store_, files_, model, "test"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("tensor \"w\" holds 3.40"), HasSubstr("at index 1"),
                             HasSubstr("updates.download: fp32"))));
  EXPECT_EQ(StoredFiles(), 1U);
}

TEST_F(RoundedModelTest, FullDiskLeavesNothing) {
  const Digest model = Store({1, 2});
  files_.bytes_left = 10;

  EXPECT_THAT(RoundModel(*store_, files_, model, "test"),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(StoredFiles(), 1U);
}

}  // namespace
}  // namespace entente::models
