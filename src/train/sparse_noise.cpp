// SPDX-License-Identifier: Apache-2.0
// What a SparseStep tells of the gradients of two steps.
#include <algorithm>
#include <array>

#include "core/sums.h"
#include "train/sparse_step.h"

namespace lockstep {

// At the price of the keys, not of the slice.
void SparseStep::keep_gradient(AlignedVector<float>& kept) {
  const Index begin = slice_.begin;
  for (const std::uint32_t key : kept_keys_) std::fill_n(kept.data() + (key * width_ - begin), width_, 0.0F);
  const Slice rows = exchange_->rows();
  kept_keys_.reserve(static_cast<std::size_t>(rows.end - rows.begin));
  kept_keys_.assign(sums_.keys.begin(), sums_.keys.end());
  const float* value = sums_.values;
  for (const std::uint32_t key : kept_keys_) {
    std::copy_n(value, width_, kept.data() + (key * width_ - begin));
    value += width_;
  }
  const Slice rest = exchange_->rest();
  std::copy_n(sums_.rest, rest.end - rest.begin, kept.data() + (rest.begin - begin));
}

// Blocks and lanes as in share_squares().
double SparseStep::product_with(const AlignedVector<float>& kept) {
  constexpr Index kBlock = ParameterLayout::kBlockSize;
  std::fill(block_squares_.begin(), block_squares_.end(), 0.0);
  const Index begin = slice_.begin;
  std::array<double, 16> lanes{};
  Index block = 0;
  const float* value = sums_.values;
  const auto close = [&] {
    block_squares_[static_cast<std::size_t>(block)] = sum_of_lanes(lanes);
    lanes.fill(0);
  };
  for (const std::uint32_t key : sums_.keys)
    for (Index at = key * width_; at < (key + 1) * width_; ++at, ++value) {
      if (at / kBlock != block) {
        close();
        block = at / kBlock;
      }
      lanes[static_cast<std::size_t>(at) % lanes.size()] +=
          static_cast<double>(*value) * static_cast<double>(kept[static_cast<std::size_t>(at - begin)]);
    }
  close();
  const Slice rest = exchange_->rest();
  for (std::size_t i = 0; i < layout_.blocks().size(); ++i)
    if (const Block& part = layout_.blocks()[i];
        part.tensor > 0 && part.begin >= rest.begin && part.begin < rest.end)
      block_squares_[i] = sum_of_products(sums_.rest + (part.begin - rest.begin),
                                          kept.data() + (part.begin - begin), part.end - part.begin);
  exchange_->share_blocks(block_squares_.data(), 1);
  return tree_sum(block_squares_);
}

void SparseStep::restore_kept(const AlignedVector<float>& kept) {
  kept_keys_.clear();
  const Slice rows = exchange_->rows();
  for (Index row = rows.begin; row < rows.end; ++row) {
    const float* const values = kept.data() + (row * width_ - slice_.begin);
    if (std::any_of(values, values + width_, [](float x) { return x != 0; }))
      kept_keys_.push_back(static_cast<std::uint32_t>(row));
  }
}

}  // namespace lockstep
