// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "lockstep/core/canonical_tree.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "support/canonical_sum.h"
#include "support/subtree_sums.h"

namespace lockstep {

/// A step with known gradients: shard s brings a vector and a tail that depend on (s, salt) alone.
class ReductionProblem {
 public:
  ReductionProblem(std::vector<Index> tensors, std::vector<char> has_rows, unsigned salt)
      : has_rows_(std::move(has_rows)), salt_(salt) {
    for (Index size : tensors) layout_.add("t", {size}, true);
  }

  const ParameterLayout& layout() const { return layout_; }
  int shards() const { return static_cast<int>(has_rows_.size()); }
  const std::vector<char>& has_rows() const { return has_rows_; }

  /// Magnitudes differ by up to 2²⁴, so nearly every other order of additions has other bits.
  float value(int shard, Index i) const {
    const std::uint32_t bits =
        hash(static_cast<std::uint32_t>(shard) * 7919U + static_cast<std::uint32_t>(i));
    const float mantissa = static_cast<float>(static_cast<std::int32_t>(bits)) * 0x1p-31F;
    return mantissa * static_cast<float>(1U << (bits % 25));
  }
  std::vector<float> leaf(int shard) const {
    std::vector<float> result(static_cast<std::size_t>(layout_.size()));
    for (const Tensor& tensor : layout_.tensors())
      for (Index i = tensor.offset; i < tensor.offset + tensor.size; ++i)
        result[static_cast<std::size_t>(i)] = value(shard, i);
    return result;
  }
  Tail tail(int shard) const {
    Tail result;
    for (std::size_t i = 0; i < result.sums.size(); ++i)
      result.sums[i] = static_cast<double>(value(shard, static_cast<Index>(1000 + i))) / 3;
    result.votes = std::uint64_t{1} << (shard % 32);
    return result;
  }
  static std::uint64_t votes(int rank) { return std::uint64_t{1} << (32 + rank % 32); }

  /// The definition of the sums.
  std::vector<float> expected() const {
    const auto plus = [](std::vector<float> left, const std::vector<float>& right) {
      for (std::size_t i = 0; i < left.size(); ++i) left[i] += right[i];
      return left;
    };
    const auto leaf_or_absent = [&](int s) { return has(s) ? std::optional(leaf(s)) : std::nullopt; };
    return canonical_sum<std::vector<float>>(0, tree_size(shards()), leaf_or_absent, plus)
        .value_or(std::vector<float>(static_cast<std::size_t>(layout_.size())));
  }
  Tail expected_tail(int ranks) const {
    const auto plus = [](Tail left, const Tail& right) {
      left.add(right);
      return left;
    };
    const auto leaf_or_absent = [&](int s) { return has(s) ? std::optional(tail(s)) : std::nullopt; };
    Tail result = canonical_sum<Tail>(0, tree_size(shards()), leaf_or_absent, plus).value_or(Tail{});
    for (int rank = 0; rank < ranks; ++rank) result.votes |= votes(rank);
    return result;
  }

  /// What the backward pass of one rank does: sums its shards in the reducer's buffers, then reduces. With
  /// `tells`, tensors are said to be ready, in pairs from the last one on.
  float* run(GradientReducer& reducer, int rank, int ranks, Tail& total, bool tells = false) const {
    if (tells) reducer.begin(has_rows_);
    return prepare<float*>(reducer, rank, ranks, [&](const LocalSums& mine) {
      if (tells) tell(reducer);
      return reducer.reduce(mine, total);
    });
  }
  /// The same with sum().
  const float* run_sum(GradientReducer& reducer, int rank, int ranks, Tail& total) const {
    return prepare<const float*>(reducer, rank, ranks,
                                 [&](const LocalSums& mine) { return reducer.sum(mine, total); });
  }

 private:
  template <class Result, class Work>
  Result prepare(GradientReducer& reducer, int rank, int ranks, const Work& work) const {
    return with_subtree_sums(
        reducer, hosted_shards(rank, ranks, shards()), has_rows_, layout_.size(),
        [&](int shard, float* out) {
          const std::vector<float> values = leaf(shard);
          std::copy(values.begin(), values.end(), out);
        },
        [&](int shard) { return tail(shard); },
        [&](std::span<const TreeNode> nodes, std::span<const Tail> tails) {
          return work(LocalSums{nodes, tails, votes(rank), has_rows_});
        });
  }

  // Each tensor is written when it is told, and what has left before is not a number.
  void tell(GradientReducer& reducer) const {
    std::vector<std::vector<float>> sums;
    for (float* buffer : reducer.buffers()) {
      sums.emplace_back(buffer, buffer + layout_.size());
      std::fill_n(buffer, layout_.size(), std::numeric_limits<float>::quiet_NaN());
    }
    const auto tensors = static_cast<int>(layout_.tensors().size());
    for (int i = tensors - 1; i >= 0; --i) {
      const int tensor = (i ^ 1) < tensors ? i ^ 1 : i;
      const Index begin = layout_[tensor].offset;
      const Index end = tensor + 1 < tensors ? layout_[tensor + 1].offset : layout_.size();
      for (std::size_t k = 0; k < sums.size(); ++k)
        std::copy(sums[k].begin() + begin, sums[k].begin() + end, reducer.buffers()[k] + begin);
      reducer.poll();
      reducer.ready(tensor);
    }
  }
  bool has(int shard) const { return shard < shards() && has_rows_[static_cast<std::size_t>(shard)] != 0; }
  std::uint32_t hash(std::uint32_t x) const {
    x += 0x9E3779B9U * (salt_ + 1);
    for (int round = 0; round < 2; ++round) x = ((x >> 16) ^ x) * 0x45D9F3BU;
    return (x >> 16) ^ x;
  }

  ParameterLayout layout_;
  std::vector<char> has_rows_;
  unsigned salt_;
};

}  // namespace lockstep
