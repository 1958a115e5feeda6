// SPDX-License-Identifier: Apache-2.0
#include "trainer/protocol/message_writer.h"

#include <gtest/gtest.h>

#include <sstream>

namespace entente::trainer {
namespace {

TEST(MessageWriterTest, EveryMessageIsOneLineOfJson) {
  std::ostringstream out;
  MessageWriter writer(out);

  writer.Hello("entente-trainer 0.1.0", "1.13.1");
  writer.Prepared({.examples = 90, .held_out_examples = 10, .device = "cpu"});
  writer.Progressed("t", {.step = 0, .step_count = 4, .loss = std::nullopt});
  writer.Progressed("t", {.step = 3, .step_count = 4, .loss = 0.5});
  writer.Updated(
      "t", {.output = "/u", .examples = 90, .training_loss = 0.25, .steps = 4, .seconds = 1.5});
  writer.Evaluated("t", {.examples = 10, .loss = 0.5, .accuracy = 0.75});
  writer.Evaluated("t", {.examples = 10, .loss = 0.5, .accuracy = std::nullopt});
  writer.Error("t", "two\nlines");
  writer.Error("", "nothing is prepared");

  EXPECT_EQ(out.str(),
            R"({"type":"hello","protocol":1,"trainer":"entente-trainer 0.1.0","libtorch":"1.13.1"}
{"type":"prepared","examples":90,"held_out_examples":10,"device":"cpu"}
{"type":"progress","task":"t","step":0,"step_count":4}
{"type":"progress","task":"t","step":3,"step_count":4,"loss":0.5}
{"type":"update","task":"t","output":"/u","examples":90,"training_loss":0.25,"steps":4,"seconds":1.5}
{"type":"evaluated","task":"t","examples":10,"loss":0.5,"accuracy":0.75}
{"type":"evaluated","task":"t","examples":10,"loss":0.5}
{"type":"error","task":"t","message":"two\nlines"}
{"type":"error","message":"nothing is prepared"}
)");
}

TEST(MessageWriterTest, BytesThatAreNotUtf8DoNotBreakTheLine) {
  std::ostringstream out;
  MessageWriter writer(out);

  writer.Error("", "bad \xff byte");

  EXPECT_EQ(out.str(), "{\"type\":\"error\",\"message\":\"bad \xef\xbf\xbd byte\"}\n");
}

TEST(MessageWriterTest, AWorkerThatIsGoneIsNoticed) {
  std::ostringstream out;
  MessageWriter writer(out);
  EXPECT_TRUE(writer.is_open());

  out.setstate(std::ios::badbit);

  EXPECT_FALSE(writer.is_open());
}

}  // namespace
}  // namespace entente::trainer
