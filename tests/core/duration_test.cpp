// SPDX-License-Identifier: Apache-2.0
#include "core/duration.h"

#include <gtest/gtest.h>

#include "lockstep/core/error.h"

namespace lockstep {
namespace {

std::string message_of(auto call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    return error.what();
  }
  return "no error";
}

TEST(Duration, ReadsStepsAndEpochs) {
  EXPECT_EQ(parse_length("300 steps", 7), 300);
  EXPECT_EQ(parse_length("1 step", 7), 1);
  EXPECT_EQ(parse_length(" 2epochs ", 7), 14);
  EXPECT_EQ(parse_length("1 epoch", 7), 7);
  EXPECT_EQ(parse_length("0.5 epochs", 7), 4);
  EXPECT_EQ(parse_length("1e3 steps", 7), 1000);
  EXPECT_EQ(parse_length("0 steps", 7), 0);
}

TEST(Duration, RefusesOtherLengths) {
  for (const char* text : {"", "5", "epochs", "5 apples", "-1 steps", "nan epochs", "inf steps", "1 steps 2",
                           "1.5 steps", "1e30 epochs", "10min", "0x5 steps"}) {
    const std::string message = message_of([&] { parse_length(text, 7, "optim.warmup"); });
    EXPECT_TRUE(message.starts_with("optim.warmup: \"")) << message;
    EXPECT_NE(message.find(text), std::string::npos) << message;
    EXPECT_NE(message.find("\" is not a length: expected"), std::string::npos) << message;
  }
}

TEST(Duration, ReadsTimes) {
  EXPECT_DOUBLE_EQ(parse_seconds("10min"), 600);
  EXPECT_DOUBLE_EQ(parse_seconds("30s"), 30);
  EXPECT_DOUBLE_EQ(parse_seconds("2 h"), 7200);
  EXPECT_DOUBLE_EQ(parse_seconds("1.5h"), 5400);
  EXPECT_DOUBLE_EQ(parse_seconds("500ms"), 0.5);
}

TEST(Duration, RefusesOtherTimes) {
  for (const char* text : {"", "10", "min", "5 epochs", "-1s", "3d"}) {
    const std::string message = message_of([&] { parse_seconds(text); });
    EXPECT_NE(message.find(text), std::string::npos) << message;
    EXPECT_NE(message.find("\" is not a time: expected"), std::string::npos) << message;
    EXPECT_FALSE(is_time(text));
  }
  EXPECT_TRUE(is_time("10min"));
}

}  // namespace
}  // namespace lockstep
