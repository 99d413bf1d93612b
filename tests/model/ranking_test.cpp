// SPDX-License-Identifier: Apache-2.0
// The area under the curve in constant memory: exact up to a number of rows, then within its own bound of the
// exact one, the same bits in whatever order and parts rows come.
#include "model/ranking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace lockstep {
namespace {

std::vector<RankedRow> rows_of(std::size_t count, bool has_weights) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<RankedRow> rows(count);
  for (RankedRow& row : rows) {
    const bool is_positive = random() % 3 == 0;
    const float weight = has_weights ? std::ldexp(static_cast<float>(random() % 1000 + 1), -7) : 1.0F;
    row = {normal(random) + (is_positive ? 1.0F : 0.0F), is_positive ? weight : -weight};
  }
  return rows;
}

Ranking ranking_of(std::span<const RankedRow> rows) {
  Ranking ranking;
  for (const RankedRow& row : rows) ranking.add(row);
  return ranking;
}

TEST(Ranking, IsExactUpToItsLimit) {
  auto rows = rows_of(10000, true);
  const Ranking::Area area = ranking_of(rows).area();
  EXPECT_TRUE(area.is_exact);
  EXPECT_EQ(area.value, area_under_curve(rows));
}

TEST(Ranking, IsWithinItsBoundBeyondTheLimit) {
  for (const bool has_weights : {false, true}) {
    auto rows = rows_of(static_cast<std::size_t>(Ranking::kMostExact) + 1000, has_weights);
    const Ranking::Area area = ranking_of(rows).area();
    EXPECT_FALSE(area.is_exact);
    EXPECT_LE(std::abs(area.value - area_under_curve(rows)), area.error + 1e-12);
    EXPECT_GT(area.error, 0);
    EXPECT_LT(area.error, 1e-3);
  }
}

TEST(Ranking, HasTheSameBitsInAnyOrderAndParts) {
  auto rows = rows_of(static_cast<std::size_t>(Ranking::kMostExact) + 1000, true);
  const double value = ranking_of(rows).area().value;
  std::shuffle(rows.begin(), rows.end(), std::mt19937(5));
  const std::span all(rows);
  Ranking merged, sent;
  for (std::size_t first = 0; first < all.size(); first += 300000) {
    const Ranking part = ranking_of(all.subspan(first, std::min<std::size_t>(300000, all.size() - first)));
    merged.merge(part);
    std::vector<std::byte> bytes;
    part.append_bytes(bytes);
    EXPECT_EQ(bytes.size(), part.byte_size());
    sent.merge_bytes(bytes);
  }
  EXPECT_EQ(merged.area().value, value);
  EXPECT_EQ(sent.area().value, value);
  std::vector<std::byte> counts;
  merged.append_bytes(counts);
  Ranking again;
  again.add(rows[0]);
  again.merge_bytes(counts);
  EXPECT_NEAR(again.area().value, value, 1e-5);
}

TEST(Ranking, CountsOfRanksAdd) {
  const auto rows = rows_of(1000, false);
  Ranking whole = ranking_of(rows), first, second;
  whole.count();
  first.count();
  second.count();
  for (std::size_t i = 0; i < rows.size(); ++i) (i % 3 == 0 ? first : second).add(rows[i]);
  Ranking merged = first;
  merged.merge(second);
  EXPECT_EQ(merged.area().value, whole.area().value);
  for (std::size_t i = 0; i < first.counts().size(); ++i) first.counts()[i] += second.counts()[i];
  EXPECT_EQ(first.area().value, whole.area().value);
}

TEST(Ranking, IsUndefinedWithoutAClassAndForScoresThatAreNoNumbers) {
  for (const RankedRow& odd : {RankedRow{1, 1}, RankedRow{std::nanf(""), -1}, RankedRow{0, -0x1p33F}}) {
    Ranking ranking;
    ranking.count();
    ranking.add({0.5F, 1});
    ranking.add(odd);
    EXPECT_TRUE(std::isnan(ranking.area().value)) << odd.score;
  }
}

TEST(Ranking, InfiniteScoresAndZerosHaveTheirPlaces) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Ranking ranking;
  ranking.count();
  for (const RankedRow& row :
       {RankedRow{kInfinity, 1}, RankedRow{-kInfinity, -1}, RankedRow{-0.0F, 1}, RankedRow{0.0F, -1}})
    ranking.add(row);
  EXPECT_DOUBLE_EQ(ranking.area().value, 3.5 / 4);
}

}  // namespace
}  // namespace lockstep
