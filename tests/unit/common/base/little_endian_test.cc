// SPDX-License-Identifier: Apache-2.0
#include "common/base/little_endian.h"

#include <gtest/gtest.h>

#include <limits>

namespace entente {
namespace {

TEST(LittleEndianTest, TheLowestByteIsTheFirst) {
  std::string bytes = "before";
  AppendLittleEndian64(0xf1e2d3c4b5a69788u, &bytes);

  EXPECT_EQ(bytes, "before\x88\x97\xa6\xb5\xc4\xd3\xe2\xf1");
  EXPECT_EQ(ReadLittleEndian64(bytes.data() + 6), 0xf1e2d3c4b5a69788u);
}

TEST(LittleEndianTest, WhatWasAppendedIsRead) {
  for (const uint64_t value :
       {uint64_t{0}, uint64_t{1}, uint64_t{255}, std::numeric_limits<uint64_t>::max()}) {
    std::string bytes;
    AppendLittleEndian64(value, &bytes);
    ASSERT_EQ(bytes.size(), 8u);
    EXPECT_EQ(ReadLittleEndian64(bytes.data()), value);
  }
}

}  // namespace
}  // namespace entente
