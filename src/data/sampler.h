// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/philox.h"
#include "data/dataset.h"

namespace lockstep {

/// How a shard permutes its rows in an epoch: blocks of `block` consecutive rows in random order, then the
/// places of every `window` of what results; what is not a whole block or window comes first, in the first
/// window. A window of 0 is the whole shard, a block of 0 leaves the order of the file. Where a window has n
/// blocks, one is of each n-th of the shard, so that rows in any order of the file, sorted by label too, come
/// mixed (stratified sampling, as in Cochran, 1977). The order of blocks is that of all shards, so that one
/// block of each of them is one stretch of the file.
struct ShuffleRule {
  Index block = 1;
  Index window = 0;

  static ShuffleRule none() { return {0, 0}; }
  static ShuffleRule whole() { return {1, 0}; }
};

/// What train.shuffle and data.shuffle_window say for this data set. Depends on N, D and S, never on the
/// number of ranks.
ShuffleRule shuffle_rule(bool shuffles, Index window, const DatasetInfo& info, int shards);

/// Rows of each shard in a stretch of the file that is good to read at once, a power of 2.
Index stretch_rows(Index features, int shards);

/// Which rows a shard uses at which place of an epoch. Position q of an epoch is place q div S of shard q mod
/// S; the shard has permuted its own rows by a ShuffleRule, keyed by (seed, epoch, shard).
class Sampler {
 public:
  Sampler(const Dataset& dataset, std::uint64_t seed, ShuffleRule rule);

  /// Prepares the orders of an epoch. Cheap if nothing is shuffled.
  void begin_epoch(std::uint64_t epoch);
  std::uint64_t epoch() const { return epoch_; }

  /// Places of `shard` in positions [first, last) of the epoch: [first_place, last_place).
  struct Places {
    Index first = 0;
    Index last = 0;
    Index count() const { return last - first; }
  };
  /// Positions [first, last) of the epoch, as the shards see them.
  class Window {
   public:
    Window(int shards, Index first, Index last)
        : first_{first / shards, first % shards}, last_{last / shards, last % shards} {}
    Places of(int shard) const { return {first_.places_before(shard), last_.places_before(shard)}; }

   private:
    struct Position {  // place and shard
      Index place, shard_there;
      Index places_before(int shard) const { return place + (shard < shard_there ? 1 : 0); }
    };
    Position first_, last_;
  };

  /// Row numbers, within the shard, of places [first, last) of a hosted shard; valid until the next call for
  /// this shard. Cheap if places never go back in an epoch.
  std::span<const std::uint32_t> rows(int shard, Places places);

  /// What to fetch from memory while rows(shard, places), which were asked for, are used: the rows of the
  /// next step; or, where windows are permuted, those that have come within a window and a step, in the order
  /// in which they are stored. Each is told once in an epoch.
  struct Upcoming {
    Index first = 0;  ///< place; where windows are permuted, that of the first whole block is 0
    std::span<const std::uint32_t> rows;
  };
  Upcoming upcoming(int shard, Places places);

 private:
  /// The rows of all places; or, where windows are permuted, of those that were asked for last and of windows
  /// behind them that are still in order of the blocks.
  struct Order {
    std::vector<std::uint32_t> rows;
    Index first = 0;     ///< window
    Index permuted = 0;  ///< windows [first, permuted) are
    Index told = 0;      ///< the place behind those of upcoming()
  };

  const Order& order(int shard) const {
    return orders_[static_cast<std::size_t>(shard - dataset_.hosted().first)];
  }
  Order& order(int shard) { return orders_[static_cast<std::size_t>(shard - dataset_.hosted().first)]; }
  /// Whether shards are permuted in windows: there is more than one in the largest of them.
  bool has_windows() const { return rule_.window > 0 && rule_.window < dataset_.shard_rows(0); }
  Philox random(Purpose purpose, int shard) const;
  void shuffle_blocks();
  void hold_windows(int shard, Order& order, Places places);
  Index loose_rows(int shard) const;
  Index window_begin(int shard, Index window) const;
  Index window_of(int shard, Index place) const;
  Index horizon(int shard, Places places) const;
  void append_window(int shard, Order& order, Index place);
  void shuffle_window(int shard, Order& order);

  const Dataset& dataset_;
  std::uint64_t seed_;
  ShuffleRule rule_;
  bool is_ordered_ = false;  ///< windows are those of the file
  std::uint64_t epoch_ = ~std::uint64_t{0};
  std::vector<Order> orders_;                 // of the hosted shards
  std::vector<std::uint32_t> blocks_;         // in their order
  std::vector<std::uint32_t> parts_, words_;  // scratch
};

}  // namespace lockstep
