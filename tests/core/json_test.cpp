// SPDX-License-Identifier: Apache-2.0
// Integers of JSON files are those that stand there, or refused.
#include "core/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace lockstep {
namespace {

template <class Integer>
void expect_refused(const char* text) {
  EXPECT_THROW(Json::parse(text).get<Integer>(), Json::exception) << text;
  const std::string list = std::string("[") + text + "]";
  EXPECT_THROW(Json::parse(list).get<std::vector<Integer>>(), Json::exception) << text;
  const std::string object = std::string("{\"key\":") + text + "}";
  EXPECT_THROW(Json::parse(object).value("key", Integer{1}), Json::exception) << text;
}

TEST(Json, GivesIntegersOfTheirType) {
  EXPECT_EQ(Json::parse("-9223372036854775808").get<std::int64_t>(),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(Json::parse("9223372036854775807").get<std::int64_t>(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Json::parse("18446744073709551615").get<std::uint64_t>(),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(Json::parse("2147483647").get<int>(), std::numeric_limits<int>::max());
  EXPECT_EQ(Json::parse("-2147483648").get<int>(), std::numeric_limits<int>::min());
  EXPECT_EQ(Json::parse("[3,-4]").get<std::vector<std::int64_t>>(), (std::vector<std::int64_t>{3, -4}));
  EXPECT_EQ(Json::parse("{}").value("key", 7), 7);
}

TEST(Json, RefusesWhatIsNoIntegerOfTheType) {
  for (const char* text : {"9223372036854775808", "18446744073709551616", "-9223372036854775809", "1e30",
                           "-1e30", "2.5", "3.0", "\"3\"", "true", "null", "[3]", "{}"})
    expect_refused<std::int64_t>(text);
  for (const char* text : {"2147483648", "-2147483649", "4294967296", "18446744073709551615", "1e9"})
    expect_refused<int>(text);
  for (const char* text : {"-1", "-9223372036854775808", "18446744073709551616", "1e19"})
    expect_refused<std::uint64_t>(text);
}

TEST(Json, OtherTypesAreTheLibrarys) {
  EXPECT_EQ(Json::parse("1e300").get<double>(), 1e300);
  EXPECT_EQ(Json::parse("3").get<double>(), 3.0);
  EXPECT_TRUE(Json::parse("true").get<bool>());
  EXPECT_THROW(Json::parse("1").get<bool>(), Json::type_error);
  EXPECT_EQ((Json{{"z", 1}, {"a", 2}}).dump(), R"({"z":1,"a":2})");
}

}  // namespace
}  // namespace lockstep
