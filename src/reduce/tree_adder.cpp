// SPDX-License-Identifier: Apache-2.0
#include "reduce/tree_adder.h"

#include <algorithm>

#include "reduce/add_floats.h"

namespace lockstep {

namespace {

constexpr Index kTile = 2048;  // floats

}  // namespace

TreeAdder::TreeAdder(int most_operands) : tiles_(static_cast<std::size_t>(most_operands * kTile)) {
  values_.reserve(static_cast<std::size_t>(most_operands));
}

void TreeAdder::add(const TreePlan& plan, std::span<const float* const> operands,
                    std::span<float* const> sums, Index count) {
  for (std::size_t i = 0; i < plan.roots().size(); ++i) {
    const float* const root = operands[static_cast<std::size_t>(plan.roots()[i])];
    if (plan.is_operand(i) && root != sums[i]) std::copy_n(root, count, sums[i]);
  }
  if (plan.additions().empty()) return;
  for (Index begin = 0; begin < count; begin += kTile)
    add_tile(plan, operands, sums, begin, std::min(kTile, count - begin));
}

void TreeAdder::add_tile(const TreePlan& plan, std::span<const float* const> operands,
                         std::span<float* const> sums, Index begin, Index count) {
  values_.clear();
  for (const float* operand : operands) values_.push_back(operand + begin);
  for (const TreePlan::Addition& addition : plan.additions()) {
    const auto left = static_cast<std::size_t>(addition.left);
    const auto right = static_cast<std::size_t>(addition.right);
    float* const out = addition.root >= 0 ? sums[static_cast<std::size_t>(addition.root)] + begin
                                          : tiles_.data() + static_cast<Index>(left) * kTile;
    add_to(out, values_[left], values_[right], count);
    values_[left] = out;
  }
}

}  // namespace lockstep
