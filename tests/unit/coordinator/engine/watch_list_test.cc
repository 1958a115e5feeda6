// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/watch_list.h"

#include <gtest/gtest.h>

namespace entente::engine {
namespace {

TEST(WatchListTest, EverybodyIsCalledUntilRemoved) {
  WatchList list;
  int first = 0;
  int second = 0;
  const uint64_t id = list.Add([&first] { ++first; });
  list.Add([&second] { ++second; });

  list.NotifyAll();
  list.Remove(id);
  list.NotifyAll();

  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
}

TEST(WatchListTest, CallbackMayRemoveItself) {
  WatchList list;
  uint64_t id = 0;
  int calls = 0;
  id = list.Add([&] {
    ++calls;
    list.Remove(id);
  });

  list.NotifyAll();
  list.NotifyAll();

  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace entente::engine
