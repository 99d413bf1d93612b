// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

namespace lockstep {

/// The definition of the canonical tree, for any sum type: node [first, first + size) is its left half plus
/// its right half; an absent half leaves the other one. `leaf(s)` is empty where shard s is absent or beyond
/// S.
template <class Value, class Leaf, class Plus>
std::optional<Value> canonical_sum(int first, int size, const Leaf& leaf, const Plus& plus) {
  if (size == 1) return leaf(first);
  auto left = canonical_sum<Value>(first, size / 2, leaf, plus);
  auto right = canonical_sum<Value>(first + size / 2, size / 2, leaf, plus);
  if (!left) return right;
  if (!right) return left;
  return plus(*left, *right);
}

/// The number of leaves of the smallest whole tree over S shards.
inline int tree_size(int shards) {
  int size = 1;
  while (size < shards) size *= 2;
  return size;
}

}  // namespace lockstep
