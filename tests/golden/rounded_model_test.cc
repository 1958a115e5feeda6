// SPDX-License-Identifier: Apache-2.0
// A model that is downloaded in bf16: what the coordinator makes of it, and what a worker makes of
// that.
#include "coordinator/models/rounded_model.h"

#include <gtest/gtest.h>

#include <string>

#include "common/tensor/safetensors.h"
#include "tests/golden/golden_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "worker/cache/model_expansion.h"

namespace entente {
namespace {

TEST(RoundedModelGoldenTest, ModelIsRoundedAndExpandedAsItAlwaysWas) {
  const TempFolder folder;
  PosixFileSystem files;
  ASSERT_OK_AND_ASSIGN(const auto store, models::ModelStore::Create(files, folder.File("models")));
  const std::string path = store->TemporaryPath("golden");
  ASSERT_THAT(WriteTextFile(files, path, GoldenBytes("update/fp32.hex")), IsOk());
  ASSERT_OK_AND_ASSIGN(const Digest model, store->Adopt(path));

  ASSERT_OK_AND_ASSIGN(const Digest rounded, models::RoundModel(*store, files, model, "golden"));

  EXPECT_EQ(*ReadTextFile(files, store->PathOf(rounded), 10'000), GoldenBytes("update/bf16.hex"));
  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files, store->PathOf(rounded)));
  ASSERT_OK_AND_ASSIGN(const Layout layout, worker::ExpandedLayout(reader->layout()));
  ASSERT_THAT(worker::ExpandModel(files, *reader, layout, folder.File("expanded")), IsOk());
  EXPECT_EQ(*ReadTextFile(files, folder.File("expanded"), 10'000),
            GoldenBytes("model/expanded.hex"));
}

}  // namespace
}  // namespace entente
