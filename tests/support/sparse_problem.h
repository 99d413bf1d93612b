// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "reduce/sparse_exchange.h"
#include "support/canonical_sum.h"
#include "support/reduction_problem.h"
#include "support/subtree_sums.h"

namespace lockstep {

/// A sparse step with known gradients: every shard touches some rows of a D × width tensor, and all of a
/// rest.
class SparseProblem {
 public:
  SparseProblem(Index rows, Index width, Index rest, std::vector<char> has_rows, unsigned seed)
      : width_(width), has_rows_(std::move(has_rows)) {
    layout_.add("weight", {rows, width}, true);
    if (rest > 0) layout_.add("bias", {rest}, false);
    std::mt19937 random(seed);
    for (std::size_t shard = 0; shard < has_rows_.size(); ++shard) {
      auto& leaf = leaves_.emplace_back(static_cast<std::size_t>(layout_.size()));
      auto& keys = keys_.emplace_back();
      for (Index row = 0; row < rows; ++row) {
        if (random() % 16 != 0) continue;
        keys.push_back(static_cast<std::uint32_t>(row));
        for (Index k = 0; k < width; ++k) leaf[static_cast<std::size_t>(row * width + k)] = draw(random);
      }
      for (Index i = 0; i < rest; ++i)
        leaf[static_cast<std::size_t>(round_up_16(rows * width) + i)] = draw(random);
    }
  }

  const ParameterLayout& layout() const { return layout_; }
  int shards() const { return static_cast<int>(has_rows_.size()); }
  Index most_keys(TreeNode hosted) const { return static_cast<Index>(keys_of(hosted, false).size()); }

  /// The dense sum of all shards, by definition.
  std::vector<float> expected() const {
    const auto plus = [](std::vector<float> left, const std::vector<float>& right) {
      for (std::size_t i = 0; i < left.size(); ++i) left[i] += right[i];
      return left;
    };
    return canonical_sum<std::vector<float>>(
               0, tree_size(shards()),
               [&](int s) {
                 return has(s) ? std::optional(leaves_[static_cast<std::size_t>(s)]) : std::nullopt;
               },
               plus)
        .value_or(std::vector<float>(static_cast<std::size_t>(layout_.size())));
  }
  std::vector<std::uint32_t> touched() const { return keys_of({0, shards()}, true); }
  Tail tail(int shard) const {
    Tail result;
    result.sums.fill(1.0 / (shard + 3));
    result.votes = std::uint64_t{1} << (shard % 32);
    return result;
  }
  Tail expected_tail() const {
    const auto plus = [](Tail left, const Tail& right) {
      left.add(right);
      return left;
    };
    return canonical_sum<Tail>(
               0, tree_size(shards()), [&](int s) { return has(s) ? std::optional(tail(s)) : std::nullopt; },
               plus)
        .value_or(Tail{});
  }

  /// What the backward pass of one rank does: the sums of its subtrees, compact, then reduces.
  SparseExchange::Sums run(SparseExchange& exchange, TreeNode hosted, Tail& total) const {
    const std::vector<std::uint32_t> keys = keys_of(hosted, true);
    std::copy(keys.begin(), keys.end(), exchange.keys());
    const Index floats = exchange.capacity() * width_ + (layout_.size() - rest_begin());
    return with_subtree_sums(
        exchange, hosted, has_rows_, floats,
        [&](int shard, float* out) {
          const auto& leaf = leaves_[static_cast<std::size_t>(shard)];
          for (std::size_t i = 0; i < keys.size(); ++i)
            std::copy_n(leaf.data() + keys[i] * width_, width_, out + static_cast<Index>(i) * width_);
          std::copy_n(leaf.data() + rest_begin(), layout_.size() - rest_begin(),
                      out + exchange.capacity() * width_);
        },
        [&](int shard) { return tail(shard); },
        [&](std::span<const TreeNode> nodes, std::span<const Tail> tails) {
          return exchange.reduce_keys(static_cast<Index>(keys.size()), {nodes, tails, 0, has_rows_}, total);
        });
  }

  Index rest_begin() const { return round_up_16(layout_[0].size); }
  Index width() const { return width_; }

 private:
  bool has(int shard) const { return shard < shards() && has_rows_[static_cast<std::size_t>(shard)] != 0; }
  // Of widely differing sizes, and now and then −0.
  static float draw(std::mt19937& random) {
    if (random() % 8 == 0) return -0.0F;
    return std::ldexp(static_cast<float>(static_cast<int>(random() % 2000001) - 1000000),
                      static_cast<int>(random() % 25));
  }
  std::vector<std::uint32_t> keys_of(TreeNode shards, bool only_present) const {
    std::vector<std::uint32_t> keys;
    for (int s = shards.first; s < shards.last; ++s)
      if (!only_present || has(s))
        keys.insert(keys.end(), keys_[static_cast<std::size_t>(s)].begin(),
                    keys_[static_cast<std::size_t>(s)].end());
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
  }

  Index width_;
  std::vector<char> has_rows_;
  ParameterLayout layout_;
  std::vector<std::vector<float>> leaves_;
  std::vector<std::vector<std::uint32_t>> keys_;
};

/// Three steps of a SparseProblem on one of several ranks: the sums are those of the dense tree bit by bit,
/// and what owners write all ranks get.
inline void expect_sparse_tree(const SparseProblem& problem, Communicator& communicator, bool shares_memory) {
  const int rank = communicator.rank(), ranks = communicator.size();
  const TreeNode hosted = hosted_shards(rank, ranks, problem.shards());
  SparseContext context;
  context.communicator = &communicator;
  context.layout = &problem.layout();
  context.shards = problem.shards();
  context.most_keys = problem.most_keys(hosted);
  context.has_ages = context.has_metric = true;
  const auto made = make_sparse_exchange(context, shares_memory);
  SparseExchange& exchange = *made;
  EXPECT_EQ(exchange.transport() == "shared memory", shares_memory && ranks > 1);
  const std::vector<float> expected = problem.expected();
  const Index width = problem.width();
  for (int step = 1; step <= 3; ++step) {
    Tail total;
    const SparseExchange::Sums sums = problem.run(exchange, hosted, total);
    EXPECT_EQ(total.sums, problem.expected_tail().sums);
    EXPECT_EQ(total.votes, problem.expected_tail().votes);
    std::vector<std::uint32_t> mine;
    for (const std::uint32_t key : problem.touched())
      if (key >= exchange.rows().begin && key < exchange.rows().end) mine.push_back(key);
    EXPECT_TRUE(std::equal(mine.begin(), mine.end(), sums.keys.begin(), sums.keys.end()));
    const auto same_bits = [](float a, float b) {
      return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
    };
    bool is_same = true;
    for (std::size_t i = 0; i < sums.keys.size(); ++i)
      for (Index k = 0; k < width; ++k)
        is_same = is_same && same_bits(sums.values[static_cast<Index>(i) * width + k],
                                       expected[static_cast<std::size_t>(sums.keys[i] * width + k)]);
    const Slice rest = exchange.rest();
    for (Index i = rest.begin; i < rest.end; ++i)
      is_same = is_same && same_bits(sums.rest[i - rest.begin], expected[static_cast<std::size_t>(i)]);
    EXPECT_TRUE(is_same) << "rank " << rank << " of " << ranks;

    float* const weights = exchange.weights();
    for (const std::uint32_t key : sums.keys) {
      for (Index at = key * width; at < (key + 1) * width; ++at) {
        weights[at] = static_cast<float>(at * step);
        exchange.metric()[at] = static_cast<float>(at + step);
      }
      exchange.ages()[key] = static_cast<std::uint16_t>(step);
    }
    for (Index i = rest.begin; i < rest.end; ++i) weights[i] = static_cast<float>(i + step);
    exchange.publish_keys(sums.keys);
    for (const std::uint32_t key : problem.touched()) {
      is_same = is_same && exchange.ages()[key] == step;
      for (Index at = key * width; at < (key + 1) * width; ++at)
        is_same = is_same && weights[at] == static_cast<float>(at * step) &&
                  exchange.metric()[at] == static_cast<float>(at + step);
    }
    for (Index i = problem.rest_begin(); i < problem.layout().size(); ++i)
      is_same = is_same && weights[i] == static_cast<float>(i + step);
    EXPECT_TRUE(is_same) << "rank " << rank << " of " << ranks << " does not know what others wrote";
    exchange.publish_nothing();
  }
}

}  // namespace lockstep
