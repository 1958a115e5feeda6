// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/torch_seam.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "absl/status/statusor.h"
#include "tests/support/status_matchers.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

TEST(TorchSeamTest, WhatIsReturnedPasses) {
  EXPECT_THAT(WithoutExceptions([] { return absl::OkStatus(); }), IsOk());
  EXPECT_EQ(*WithoutExceptions([]() -> absl::StatusOr<int> { return 5; }), 5);
}

TEST(TorchSeamTest, WhatIsThrownBecomesAStatus) {
  EXPECT_THAT(WithoutExceptions(
                  []() -> absl::StatusOr<int> { throw std::runtime_error("shapes differ\nat x"); }),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("LibTorch refused what the model does")));
  EXPECT_THAT(WithoutExceptions([]() -> absl::Status { throw std::bad_alloc(); }),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("memory ran out")));
  EXPECT_THAT(
      WithoutExceptions([]() -> absl::Status { throw std::runtime_error("CUDA out of memory."); }),
      StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(TorchSeamTest, ATraceIsOneSentence) {
  EXPECT_EQ(OneSentence("The following operation failed in the TorchScript interpreter.\n"
                        "Traceback of TorchScript (most recent call last):\n"
                        "  File \"<string>\", line 2, in forward\n"
                        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x4 and 16x3)\n"),
            "mat1 and mat2 shapes cannot be multiplied (2x4 and 16x3)");
  EXPECT_EQ(OneSentence("expected a float\nException raised from check at ../x.cpp:5 (most recent "
                        "call first):\n"),
            "expected a float");
  EXPECT_EQ(OneSentence(std::string(1000, 'x')).size(), 300U);
}

}  // namespace
}  // namespace entente::trainer
