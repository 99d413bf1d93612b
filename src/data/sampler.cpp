// SPDX-License-Identifier: Apache-2.0
#include "data/sampler.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace lockstep {

namespace {

constexpr Index kBlockFloats = 1024;              // 4 KiB: long enough for the hardware to read ahead
constexpr Index kWindowFloats = Index{64} << 10;  // of all shards: two windows fill half a cache of 1 MiB
constexpr Index kNarrow = 256;                    // features
constexpr Index kMany = Index{16} << 20;          // numbers of a data set, more than a processor caches

// Fisher and Yates, as in Knuth (1969).
void shuffle_all(const Philox& random, std::vector<std::uint32_t>& order) {
  for (std::size_t last = order.size(); last > 1; --last)
    std::swap(order[last - 1], order[random.below(last, last)]);
}

}  // namespace

ShuffleRule shuffle_rule(bool shuffles, Index window, const DatasetInfo& info, int shards) {
  if (!shuffles) return ShuffleRule::none();
  const Index features = std::max<Index>(info.features, 1);
  if (window == 0 && (info.is_sparse || features > kNarrow || info.rows * features < kMany))
    return ShuffleRule::whole();
  auto block = static_cast<Index>(
      std::bit_floor(static_cast<std::uint64_t>(std::max<Index>(kBlockFloats / features, 1))));
  if (window > 0) return {std::min(block, window), window};
  return {block, std::max<Index>(kWindowFloats / features / shards / block, 4) * block};
}

Sampler::Sampler(const Dataset& dataset, std::uint64_t seed, ShuffleRule rule)
    : dataset_(dataset),
      seed_(seed),
      rule_(rule),
      words_(static_cast<std::size_t>((rule.window + 3) / 4 * 4)) {
  for (int shard = dataset.hosted().first; shard < dataset.hosted().last; ++shard) {
    Order& order = orders_.emplace_back();
    order.rows.resize(static_cast<std::size_t>(dataset.shard_rows(shard)));
    std::iota(order.rows.begin(), order.rows.end(), 0U);
    if (has_windows()) blocks_.reserve(order.rows.size() / static_cast<std::size_t>(rule.block) + 1);
  }
}

Philox Sampler::random(Purpose purpose, int shard) const {
  return {seed_, purpose, static_cast<std::uint32_t>(epoch_), static_cast<std::uint32_t>(shard)};
}

void Sampler::begin_epoch(std::uint64_t epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  if (rule_.block == 0) return;
  for (int shard = dataset_.hosted().first; shard < dataset_.hosted().last; ++shard) {
    if (has_windows()) {
      shuffle_blocks(shard, order(shard));
    } else {
      auto& rows = order(shard).rows;
      std::iota(rows.begin(), rows.end(), 0U);
      shuffle_all(random(Purpose::kShuffle, shard), rows);
    }
  }
}

void Sampler::shuffle_blocks(int shard, Order& order) {
  const auto block = static_cast<std::uint32_t>(rule_.block),
             rows = static_cast<std::uint32_t>(order.rows.size());
  blocks_.resize((rows + block - 1) / block);
  std::iota(blocks_.begin(), blocks_.end(), 0U);
  shuffle_all(random(Purpose::kShuffle, shard), blocks_);
  auto out = order.rows.begin();
  for (const std::uint32_t number : blocks_)
    for (std::uint32_t row = number * block; row < std::min((number + 1) * block, rows); ++row) *out++ = row;
  order.windows = 0;
}

// Fisher and Yates again, with a word per row, drawn in bulk: the bias of 32 bits is below window / 2^32.
void Sampler::shuffle_window(int shard, Order& order) {
  const auto window = static_cast<std::size_t>(rule_.window),
             number = static_cast<std::size_t>(order.windows++);
  const auto rows =
      std::span(order.rows).subspan(number * window, std::min(window, order.rows.size() - number * window));
  random(Purpose::kShuffleWindow, shard).fill(number * (words_.size() / 4), words_);
  for (std::size_t last = rows.size(); last > 1; --last)
    std::swap(rows[last - 1], rows[static_cast<std::uint64_t>(words_[last - 1]) * last >> 32]);
}

std::span<const std::uint32_t> Sampler::rows(int shard, Places places) {
  Order& order = this->order(shard);
  if (has_windows())
    while (order.windows * rule_.window < places.last) shuffle_window(shard, order);
  return std::span(order.rows)
      .subspan(static_cast<std::size_t>(places.first), static_cast<std::size_t>(places.count()));
}

std::span<const std::uint32_t> Sampler::upcoming(int shard, Places places) const {
  const std::span all(order(shard).rows);
  const auto ahead = static_cast<std::size_t>(has_windows() ? rule_.window : places.count());
  const auto first = std::min(static_cast<std::size_t>(places.first) + ahead, all.size());
  return all.subspan(first, std::min(static_cast<std::size_t>(places.count()), all.size() - first));
}

}  // namespace lockstep
