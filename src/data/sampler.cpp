// SPDX-License-Identifier: Apache-2.0
#include "data/sampler.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace lockstep {

namespace {

constexpr Index kStretchFloats = 16384;  // of all shards, 64 KiB: long enough for a disk to be read in
constexpr Index kStretches =
    16;  // of a window: more chance than in 8, 4 % fewer rows a second on 28 features; 64 halve them
constexpr Index kSparseFloats = 128;      // what a sparse row counts as, however many entries it has
constexpr Index kOrderedWindow = 1024;    // rows
constexpr Index kNarrow = 256;            // features
constexpr Index kMany = Index{16} << 20;  // numbers of a data set, more than a processor caches

// Fisher and Yates, as in Knuth (1969).
void shuffle_all(const Philox& random, std::vector<std::uint32_t>& order) {
  for (std::size_t last = order.size(); last > 1; --last)
    std::swap(order[last - 1], order[random.below(last, last)]);
}

}  // namespace

ShuffleRule shuffle_rule(bool shuffles, Index window, const DatasetInfo& info, int shards) {
  if (!shuffles) return ShuffleRule::none();
  if (window == 0 &&
      (info.is_sparse || info.features > kNarrow || info.rows * std::max<Index>(info.features, 1) < kMany))
    return ShuffleRule::whole();
  const Index block = stretch_rows(info.is_sparse ? kSparseFloats : info.features, shards);
  if (window > 0) return {std::min(block, window), window};
  return {block, kStretches * block};
}

Index stretch_rows(Index features, int shards) {
  const Index rows = kStretchFloats / std::max<Index>(features, 1) / shards;
  return static_cast<Index>(std::bit_floor(static_cast<std::uint64_t>(std::max<Index>(rows, 1))));
}

Sampler::Sampler(const Dataset& dataset, std::uint64_t seed, ShuffleRule rule)
    : dataset_(dataset),
      seed_(seed),
      rule_(rule),
      orders_(static_cast<std::size_t>(dataset.hosted().last - dataset.hosted().first)),
      words_(static_cast<std::size_t>((rule.window + 3) / 4 * 4)) {
  if (rule.block == 0 && dataset.stream() != nullptr) {  // a list of all rows could be too large
    is_ordered_ = true;
    rule_ = {kOrderedWindow, kOrderedWindow};
  }
  if (has_windows())
    blocks_.resize(static_cast<std::size_t>(dataset.shard_rows(dataset.shards() - 1) / rule_.block));
  else
    for (int shard = dataset.hosted().first; shard < dataset.hosted().last; ++shard) {
      order(shard).rows.resize(static_cast<std::size_t>(dataset.shard_rows(shard)));
      std::iota(order(shard).rows.begin(), order(shard).rows.end(), 0U);
    }
}

Philox Sampler::random(Purpose purpose, int shard) const {
  return {seed_, purpose, static_cast<std::uint32_t>(epoch_), static_cast<std::uint32_t>(shard)};
}

void Sampler::begin_epoch(std::uint64_t epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  if (rule_.block == 0) return;
  if (has_windows()) return shuffle_blocks();
  if (is_ordered_) return;
  for (int shard = dataset_.hosted().first; shard < dataset_.hosted().last; ++shard) {
    auto& rows = order(shard).rows;
    std::iota(rows.begin(), rows.end(), 0U);
    shuffle_all(random(Purpose::kShuffle, shard), rows);
  }
}

void Sampler::shuffle_blocks() {
  std::iota(blocks_.begin(), blocks_.end(), 0U);
  if (!is_ordered_) shuffle_all(random(Purpose::kShuffle, 0), blocks_);
  for (Order& order : orders_) {
    order.rows.clear();
    order.first = order.permuted = order.told = 0;
  }
}

void Sampler::hold_windows(int shard, Order& order, Places places) {
  const Index window = rule_.window, first = places.first / window;
  if (first < order.first || first > order.permuted) {
    order.rows.clear();
    order.first = order.permuted = first;
  }
  const auto begin = order.rows.begin();
  order.rows.erase(begin,
                   begin + std::min((first - order.first) * window, static_cast<Index>(order.rows.size())));
  order.first = first;
  const auto held = [&] { return first * window + static_cast<Index>(order.rows.size()); };
  // What upcoming() tells must not be permuted by the next step.
  const Index needed = std::min(places.last + window + places.count(), dataset_.shard_rows(shard));
  while (held() < needed) append_window(shard, order);
  while (order.permuted * window < places.last) shuffle_window(shard, order);
}

// The window behind those that are there.
void Sampler::append_window(int shard, Order& order) {
  const Index rows = dataset_.shard_rows(shard),
              held = order.first * rule_.window + static_cast<Index>(order.rows.size());
  const Index last = std::min(held + rule_.window, rows);
  const auto whole = static_cast<Index>(blocks_.size()) * rule_.block;
  for (Index place = held; place < last;) {
    const Index within = place % rule_.block;
    const Index row =
        place < whole ? blocks_[static_cast<std::size_t>(place / rule_.block)] * rule_.block + within : place;
    const Index end = std::min(place < whole ? place + rule_.block - within : rows, last);
    for (Index i = 0; i < end - place; ++i) order.rows.push_back(static_cast<std::uint32_t>(row + i));
    place = end;
  }
}

// Fisher and Yates again, with a word per row, drawn in bulk: the bias of 32 bits is below window / 2^32.
void Sampler::shuffle_window(int shard, Order& order) {
  const auto number = static_cast<std::size_t>(order.permuted++);
  if (is_ordered_) return;
  const auto window = static_cast<std::size_t>(rule_.window);
  const std::size_t begin = (number - static_cast<std::size_t>(order.first)) * window;
  const auto rows = std::span(order.rows).subspan(begin, std::min(window, order.rows.size() - begin));
  random(Purpose::kShuffleWindow, shard).fill(number * (words_.size() / 4), words_);
  for (std::size_t last = rows.size(); last > 1; --last)
    std::swap(rows[last - 1], rows[static_cast<std::uint64_t>(words_[last - 1]) * last >> 32]);
}

std::span<const std::uint32_t> Sampler::rows(int shard, Places places) {
  Order& order = this->order(shard);
  Index first = places.first;
  if (has_windows()) {
    hold_windows(shard, order, places);
    first -= order.first * rule_.window;
  }
  return std::span(order.rows)
      .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(places.count()));
}

Sampler::Upcoming Sampler::upcoming(int shard, Places places) {
  Order& order = this->order(shard);
  const Index begin = has_windows() ? order.first * rule_.window : 0;
  const Index ahead = places.count() + (has_windows() ? rule_.window : 0);
  const Index last = std::min(places.last + ahead, begin + static_cast<Index>(order.rows.size()));
  const Index first =
      order.told > places.last && order.told <= last ? order.told : std::min(places.last, last);
  order.told = last;
  return {first,
          std::span(order.rows)
              .subspan(static_cast<std::size_t>(first - begin), static_cast<std::size_t>(last - first))};
}

}  // namespace lockstep
