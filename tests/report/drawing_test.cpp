// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "report/axis_scale.h"
#include "report/contour_lines.h"
#include "report/curve_names.h"
#include "report/draw_plot.h"
#include "report/text.h"

namespace lockstep {
namespace {

TEST(AxisScale, TicksAreRoundFewAndWithinTheAxis) {
  for (const bool is_log : {false, true})
    for (const auto& [low, high] :
         {std::pair{0.001, 0.002}, {0.3, 2.4}, {1.0, 60000.0}, {1e-9, 1e9}, {17.0, 17.5}, {0.02, 0.9}}) {
      const auto ticks = AxisScale(low, high, is_log, 0, 100).ticks(5);
      EXPECT_GE(ticks.size(), 2u) << low << " " << high << " " << is_log;
      EXPECT_LE(ticks.size(), 9u) << low << " " << high << " " << is_log;
      for (std::size_t i = 0; i < ticks.size(); ++i) {
        EXPECT_GE(ticks[i], low - 1e-8 * (is_log ? low : high));
        EXPECT_LE(ticks[i], high * (1 + 1e-9));
        if (i > 0) {
          EXPECT_GT(ticks[i], ticks[i - 1]);
        }
        EXPECT_LE(tick_text(ticks[i]).size(), 6u) << ticks[i];
      }
    }
}

TEST(AxisScale, EndsMapToPixelsAndNothingLeavesThePaper) {
  const AxisScale even(2, 4, false, 50, 250), log(1, 100, true, 50, 250);
  EXPECT_EQ(even.at(3), 150);
  EXPECT_EQ(log.at(10), 150);
  for (const double value : {-1e300, 0.0, 1e300}) {
    EXPECT_LE(std::abs(even.at(value)), 1000);
    EXPECT_LE(std::abs(log.at(value)), 1000);
  }
}

TEST(AxisScale, EndsAreNeverEmpty) {
  for (const bool is_log : {false, true})
    for (const auto& [low, high] :
         {std::pair{0.0, 0.0}, {5.0, 5.0}, {-3.0, -3.0}, {INFINITY, -INFINITY}, {0.1, 7.0}}) {
      const AxisEnds ends = axis_ends(low, high, is_log, true);
      EXPECT_LT(ends.low, ends.high) << low << " " << high;
      if (is_log) {
        EXPECT_GT(ends.low, 0);
      }
    }
}

TEST(Contours, OfABowlAreCircles) {
  std::vector<double> axis;
  for (int i = 0; i < 41; ++i) axis.push_back(-2 + 0.1 * i);
  std::vector<std::vector<double>> values(41, std::vector<double>(41));
  for (std::size_t j = 0; j < 41; ++j)
    for (std::size_t i = 0; i < 41; ++i) values[j][i] = axis[i] * axis[i] + axis[j] * axis[j];
  const auto lines = contour_lines({axis, axis, values}, 1.5);
  double length = 0;
  for (const auto& line : lines) {
    ASSERT_EQ(line.size(), 2u);
    for (const auto& point : line) EXPECT_NEAR(std::hypot(point[0], point[1]), std::sqrt(1.5), 0.003);
    length += std::hypot(line[1][0] - line[0][0], line[1][1] - line[0][1]);
  }
  EXPECT_NEAR(length, 2 * M_PI * std::sqrt(1.5), 0.01);  // closed, and each part once
  values[20][20] = std::nan("");
  EXPECT_EQ(contour_lines({axis, axis, values}, 1.5).size(), lines.size());  // far from the line
  for (auto& row : values) row.assign(41, std::nan(""));
  EXPECT_TRUE(contour_lines({axis, axis, values}, 1.5).empty());
  EXPECT_TRUE(contours_of({axis, axis, values}, 5).empty());
}

TEST(Contours, SaddlesAreJoinedByTheirMean) {
  const std::vector<double> axis = {0, 1};
  // Corners 1 0 / 0 1 with the mean above the level: the two low corners are cut off.
  const auto lines = contour_lines({axis, axis, {{1, 0}, {0, 1}}}, 0.4);
  ASSERT_EQ(lines.size(), 2u);
  for (const auto& line : lines) {
    const double x = (line[0][0] + line[1][0]) / 2, y = (line[0][1] + line[1][1]) / 2;
    EXPECT_GT(std::abs(x - y), 0.5);
  }
}

RateCurve curve(double rate, double speed, double swing, bool diverged = false) {
  RateCurve made{rate, {}, diverged};
  for (int step = 1; step <= 200; ++step)
    made.points.push_back({static_cast<double>(step), 0, 0, 0,
                           0.2 + std::exp(-speed * step) + swing * (step % 2 == 0 ? 1 : -1)});
  return made;
}

TEST(CurveNames, FollowTheirRule) {
  const auto names = name_curves({curve(0.001, 0.003, 0), curve(0.1, 0.05, 0.01), curve(1, 0.05, 0.3),
                                  curve(9, 0.05, 0, true), curve(8, -0.01, 0), curve(2, 0.004, 0)});
  using enum CurveName;
  EXPECT_EQ(names, (std::vector{kSlow, kGood, kOscillating, kDiverging, kDiverging, kOscillating}));
  EXPECT_EQ(name_curves({curve(0.1, 0.05, 0)}), std::vector{kGood});
  RateCurve early = curve(0.5, 0.004, 0);
  early.reached = true;
  EXPECT_EQ(name_curves({early, curve(0.1, 0.05, 0)}), (std::vector{kGood, kGood}));
  EXPECT_EQ(name_curves({RateCurve{}}), std::vector{kDiverging});
  EXPECT_TRUE(name_curves({}).empty());
}

TEST(Text, NothingFromAFileEndsATagOrTheScript) {
  const std::string hostile = "</script><img src=x onerror=alert(1)>\"'&\xE2\x80\xA8\xff\x01";
  for (const char letter : {'<', '>', '"', '\''})
    EXPECT_EQ(escape_markup(hostile).find(letter), std::string::npos);
  const std::string json = json_text(hostile);
  EXPECT_EQ(json.find('<'), std::string::npos);
  EXPECT_EQ(json.find("\xE2\x80\xA8"), std::string::npos);
  EXPECT_EQ(escape_link("javascript:alert(1)//\"/a b"), "./javascript%3Aalert%281%29//%22/a%20b");
}

TEST(Text, NumbersReadBackExactly) {
  for (const double value : {0.1, 1.0 / 3, 2.501717166823557, 1e-300, 123456789012.0})
    EXPECT_EQ(std::stod(exact_number(value)), value);
  EXPECT_EQ(exact_number(std::nan("")), "null");
  EXPECT_EQ(plain_number(1234567), "1,234,567");
  EXPECT_EQ(seconds_text(0.0123), "12.3 ms");
  EXPECT_EQ(seconds_text(3725), "1 h 2 min");
  EXPECT_EQ(share_text(0.055), "5.5 %");
}

}  // namespace
}  // namespace lockstep
