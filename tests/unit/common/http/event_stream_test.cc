// SPDX-License-Identifier: Apache-2.0
#include "common/http/event_stream.h"

#include <gtest/gtest.h>

namespace entente::http {
namespace {

TEST(EventTextTest, NothingSentCanMakeAnotherField) {
  EXPECT_EQ(EventText("round", "one\r\ntwo\rthree\n", "7\nevent: evil"),
            "id: 7 event: evil\nevent: round\ndata: one\ndata: two\ndata: three\ndata: \n\n");
  EXPECT_EQ(EventText("", ""), "data: \n\n");
}

TEST(EventStreamTest, WakesForEachEventAndGivesAllOfThem) {
  int woken = 0;
  EventStream stream([&] { ++woken; });
  EXPECT_TRUE(stream.Send("a", "1"));
  EXPECT_TRUE(stream.Send("b", "2"));
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(stream.Take(), "event: a\ndata: 1\n\nevent: b\ndata: 2\n\n");
  EXPECT_EQ(stream.Take(), "");
}

TEST(EventStreamTest, FullQueueClosesItForGood) {
  EventStream stream([] {}, /*queue_bytes_max=*/20);
  EXPECT_TRUE(stream.Send("", "0123456"));
  EXPECT_FALSE(stream.Send("", "0123456"));
  EXPECT_FALSE(stream.open());
  stream.Take();
  EXPECT_FALSE(stream.Send("", "1"));
}

TEST(EventStreamTest, ClosingWakesOnce) {
  int woken = 0;
  EventStream stream([&] { ++woken; });
  stream.Close();
  stream.Close();
  EXPECT_EQ(woken, 1);
  EXPECT_FALSE(stream.open());
}

}  // namespace
}  // namespace entente::http
