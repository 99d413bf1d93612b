// SPDX-License-Identifier: Apache-2.0
#include "data/sampler.h"

#include <algorithm>
#include <numeric>

#include "core/philox.h"

namespace lockstep {

Sampler::Sampler(const Dataset& dataset, std::uint64_t seed, bool shuffles)
    : dataset_(dataset), seed_(seed), shuffles_(shuffles) {
  for (int shard = dataset.hosted().first; shard < dataset.hosted().last; ++shard) {
    orders_.emplace_back(static_cast<std::size_t>(dataset.shard_rows(shard)));
    std::iota(orders_.back().begin(), orders_.back().end(), 0U);
  }
}

void Sampler::begin_epoch(std::uint64_t epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  if (!shuffles_) return;
  for (std::size_t i = 0; i < orders_.size(); ++i) {
    auto& order = orders_[i];
    const auto shard = static_cast<std::uint32_t>(dataset_.hosted().first) + static_cast<std::uint32_t>(i);
    const Philox random(seed_, Purpose::kShuffle, static_cast<std::uint32_t>(epoch), shard);
    std::iota(order.begin(), order.end(), 0U);
    for (std::size_t last = order.size(); last > 1; --last)  // Fisher and Yates, as in Knuth (1969)
      std::swap(order[last - 1], order[random.below(last, last)]);
  }
}

Sampler::Places Sampler::places(int shard, int shards, Index first_position, Index last_position) {
  const auto before = [&](Index position) {
    return position <= shard ? 0 : (position - shard + shards - 1) / shards;
  };
  return {before(first_position), before(last_position)};
}

std::span<const std::uint32_t> Sampler::rows(int shard, Places places) const {
  const auto& order = orders_[static_cast<std::size_t>(shard - dataset_.hosted().first)];
  return std::span(order).subspan(static_cast<std::size_t>(places.first),
                                  static_cast<std::size_t>(places.count()));
}

}  // namespace lockstep
