// SPDX-License-Identifier: Apache-2.0
#include "report/course.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "report/flat_object.h"

namespace lockstep {
namespace {

CoursePoint point_at(int line, double value) {
  return {line + 1.0, line * 0.1, line * 10.0, line * 0.01, value};
}

TEST(Course, KeepsFirstLastAndEveryPeakInBoundedMemory) {
  const unsigned seed = 5;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  for (const int lines : {1, 2, 3, 19, 20, 21, 100, 4567}) {
    Course course(20);
    std::vector<double> values;
    for (int i = 0; i < lines; ++i) {
      values.push_back(normal(random) + (i == lines * 2 / 3 ? 100 : 0) - (i == lines / 3 ? 100 : 0));
      course.add(point_at(i, values.back()));
    }
    const auto points = course.points();
    ASSERT_LE(points.size(), 42u);
    if (lines <= 20) {
      EXPECT_EQ(points.size(), static_cast<std::size_t>(lines));
    }
    EXPECT_EQ(points.front().step, 1);
    EXPECT_EQ(points.back().step, lines);
    std::set<double> shown;
    double before = 0;
    for (const CoursePoint& point : points) {
      EXPECT_GT(point.step, before) << lines;  // in order, none twice
      before = point.step;
      EXPECT_EQ(point.value, values[static_cast<std::size_t>(point.step) - 1]);  // a line of the file
      shown.insert(point.value);
    }
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    EXPECT_TRUE(shown.contains(*low) && shown.contains(*high)) << lines;
    EXPECT_EQ(course.lowest().value, *low);
    EXPECT_EQ(course.highest().value, *high);
  }
}

TEST(Course, KeepsTheExtremesOfEveryStretch) {
  // Of any 2·4096/20 lines in a row the lowest and the highest, or ones beyond them, are in the points.
  Course course(20);
  std::vector<double> values;
  for (int i = 0; i < 4096; ++i) {
    values.push_back(std::sin(i * 0.7) * std::cos(i * 0.011) + 0.001 * i);
    course.add(point_at(i, values.back()));
  }
  const auto points = course.points();
  for (int begin = 0; begin + 820 <= 4096; begin += 100) {
    const auto [low, high] = std::minmax_element(values.begin() + begin + 410, values.begin() + begin + 411);
    bool has_low = false, has_high = false;
    for (const CoursePoint& point : points) {
      if (point.step - 1 < begin || point.step - 1 >= begin + 820) continue;
      has_low |= point.value <= *low;
      has_high |= point.value >= *high;
    }
    EXPECT_TRUE(has_low && has_high) << begin;
  }
}

TEST(Course, LeavesOutWhatIsNotFiniteAndSaysSo) {
  Course course;
  EXPECT_TRUE(course.empty());
  course.add(point_at(0, 1));
  course.add(point_at(1, std::nan("")));
  EXPECT_TRUE(course.ends_not_finite());
  course.add(point_at(2, 3));
  course.add(point_at(3, INFINITY));
  EXPECT_EQ(course.finite(), 2);
  EXPECT_EQ(course.not_finite(), 2);
  EXPECT_TRUE(course.ends_not_finite());
  ASSERT_EQ(course.points().size(), 2u);
  EXPECT_EQ(course.last().value, 3);
}

TEST(FlatObject, ReadsWhatJsonReads) {
  for (const char* line : {R"({"kind":"step","step":12,"a":-0.5e-3,"b":null,"c":true, "d" : "x\"y" })",
                           R"({})", R"({"a":1e999})", R"({"a":1.7976931348623157e308})"}) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    FlatObject object(line);
    std::size_t members = 0;
    for (auto member = object.next(); member.kind != FlatObject::Kind::kEnd; member = object.next()) {
      ASSERT_NE(member.kind, FlatObject::Kind::kBroken) << line;
      ++members;
      if (json.is_discarded()) continue;  // 1e999 is too much for it
      const auto& value = json.at(std::string(member.key));
      if (value.is_number()) {
        EXPECT_EQ(member.number, value.get<double>());
      }
      if (value.is_null()) {
        EXPECT_TRUE(std::isnan(member.number));
      }
      EXPECT_EQ(value.is_string(), member.kind == FlatObject::Kind::kText);
    }
    if (!json.is_discarded()) {
      EXPECT_EQ(members, json.size());
    }
  }
}

TEST(FlatObject, RefusesLinesThatWereCutOff) {
  const std::string line = R"({"kind":"step","step":12,"a":[1]})";
  for (std::size_t length = 0; length + 4 < line.size(); ++length) {
    FlatObject object(std::string_view(line).substr(0, length));
    auto kind = FlatObject::Kind::kNumber;
    while (kind == FlatObject::Kind::kNumber || kind == FlatObject::Kind::kText) kind = object.next().kind;
    EXPECT_TRUE(kind == FlatObject::Kind::kBroken || (kind == FlatObject::Kind::kNested && length > 28))
        << length;
  }
}

}  // namespace
}  // namespace lockstep
