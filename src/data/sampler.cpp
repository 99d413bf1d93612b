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

// Fisher and Yates, as in Knuth (1969), with the random numbers behind the first `begin`.
void shuffle_all(const Philox& random, std::span<std::uint32_t> order, std::size_t begin = 0) {
  for (std::size_t last = order.size(); last > 1; --last)
    std::swap(order[last - 1], order[random.below(begin + last, last)]);
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
      words_(static_cast<std::size_t>((2 * rule.window + 3) / 4 * 4)) {
  if (rule.block == 0 && dataset.stream() != nullptr) {  // a list of all rows could be too large
    is_ordered_ = true;
    rule_ = {kOrderedWindow, kOrderedWindow};
  }
  if (has_windows())
    for (auto* blocks : {&blocks_, &parts_})
      blocks->resize(static_cast<std::size_t>(dataset.shard_rows(dataset.shards() - 1) / rule_.block));
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

// Every window takes the next block of each part of the shard. What is left of the parts comes first: an
// epoch shall not end with it.
void Sampler::shuffle_blocks() {
  std::iota(parts_.begin(), parts_.end(), 0U);
  if (is_ordered_) {
    blocks_ = parts_;
  } else {
    const std::size_t count = parts_.size();
    const auto parts = static_cast<std::size_t>(std::max<Index>(rule_.window / rule_.block, 1));
    const std::size_t rounds = count / parts, left = count % parts;
    std::size_t place = 0;
    for (std::size_t part = 0; part < parts; ++part) {
      const std::size_t begin = count * part / parts, end = count * (part + 1) / parts;
      shuffle_all(random(Purpose::kShuffle, 0), std::span(parts_).subspan(begin, end - begin), begin);
      for (std::size_t round = 0; round < rounds; ++round)
        blocks_[left + round * parts + part] = parts_[end - rounds + round];
      if (end - begin > rounds) blocks_[place++] = parts_[begin];
    }
  }
  for (Order& order : orders_) {
    order.rows.clear();
    order.first = order.permuted = order.told = 0;
  }
}

// Rows behind the last whole block, which come first, but where rows are in the order of the file.
Index Sampler::loose_rows(int shard) const {
  return is_ordered_ ? 0 : dataset_.shard_rows(shard) - static_cast<Index>(blocks_.size()) * rule_.block;
}

// The first window has what is left of whole ones too: so few rows would mix less by themselves.
Index Sampler::window_begin(int shard, Index window) const {
  return window == 0 ? 0 : dataset_.shard_rows(shard) % rule_.window + window * rule_.window;
}

Index Sampler::window_of(int shard, Index place) const {
  return std::max<Index>((place - dataset_.shard_rows(shard) % rule_.window) / rule_.window, 0);
}

// The place behind those that upcoming() tells. The next step must not permute them before.
Index Sampler::horizon(int shard, Places places) const {
  const Index ahead = places.count() + (has_windows() ? rule_.window : 0);
  return std::min(places.last + ahead, dataset_.shard_rows(shard));
}

void Sampler::hold_windows(int shard, Order& order, Places places) {
  const Index first = window_of(shard, places.first);
  if (first < order.first || first > order.permuted) {
    order.rows.clear();
    order.first = order.permuted = first;
  }
  const Index used = window_begin(shard, first) - window_begin(shard, order.first);
  order.rows.erase(order.rows.begin(),
                   order.rows.begin() + std::min(used, static_cast<Index>(order.rows.size())));
  order.first = first;
  const Index begin = window_begin(shard, first), end = horizon(shard, places);
  while (begin + static_cast<Index>(order.rows.size()) < end)
    append_window(shard, order, begin + static_cast<Index>(order.rows.size()));
  while (order.permuted <= window_of(shard, places.last - 1)) shuffle_window(shard, order);
}

// The window that begins at `place`.
void Sampler::append_window(int shard, Order& order, Index place) {
  const Index end = window_begin(shard, window_of(shard, place) + 1), loose = loose_rows(shard);
  const auto whole = static_cast<Index>(blocks_.size()) * rule_.block;
  while (place < end) {
    const Index at = place - loose;  // among the rows of whole blocks
    Index row = at < 0 ? whole + place : at, count = at < 0 ? -at : end - place;
    if (at >= 0 && at < whole) {
      row = blocks_[static_cast<std::size_t>(at / rule_.block)] * rule_.block + at % rule_.block;
      count = rule_.block - at % rule_.block;
    }
    count = std::min(count, end - place);
    for (Index i = 0; i < count; ++i) order.rows.push_back(static_cast<std::uint32_t>(row + i));
    place += count;
  }
}

// Fisher and Yates again, with a word per row, drawn in bulk: the bias of 32 bits is below window / 2^31.
void Sampler::shuffle_window(int shard, Order& order) {
  const Index window = order.permuted++;
  if (is_ordered_) return;
  const Index begin = window_begin(shard, window), count = window_begin(shard, window + 1) - begin;
  const auto rows = std::span(order.rows)
                        .subspan(static_cast<std::size_t>(begin - window_begin(shard, order.first)),
                                 static_cast<std::size_t>(count));
  const auto words = std::span(words_).first((rows.size() + 3) / 4 * 4);
  random(Purpose::kShuffleWindow, shard).fill(static_cast<std::size_t>(window) * (words_.size() / 4), words);
  for (std::size_t last = rows.size(); last > 1; --last)
    std::swap(rows[last - 1], rows[static_cast<std::uint64_t>(words[last - 1]) * last >> 32]);
}

std::span<const std::uint32_t> Sampler::rows(int shard, Places places) {
  Order& order = this->order(shard);
  Index first = places.first;
  if (has_windows()) {
    hold_windows(shard, order, places);
    first -= window_begin(shard, order.first);
  }
  return std::span(order.rows)
      .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(places.count()));
}

Sampler::Upcoming Sampler::upcoming(int shard, Places places) {
  Order& order = this->order(shard);
  const Index begin = has_windows() ? window_begin(shard, order.first) : 0, last = horizon(shard, places);
  const Index loose = has_windows() ? loose_rows(shard) : 0;
  const bool goes_on = order.told > places.last && order.told <= last;
  const Index first = goes_on ? order.told : places.last;
  order.told = last;
  return {first - loose,
          std::span(order.rows)
              .subspan(static_cast<std::size_t>(first - begin), static_cast<std::size_t>(last - first))};
}

}  // namespace lockstep
