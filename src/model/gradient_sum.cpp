// SPDX-License-Identifier: Apache-2.0
#include "lockstep/model/gradient_sum.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/gemm.h"
#include "core/gemv.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr Index kBlockTiles = 8;  // tiles of A packed at once: 8 × 12 columns of 1,024 rows are 384 KiB
constexpr int kMaxDepth = 32;

}  // namespace

// The stack of partial sums of one tile: what the batch pushes lives here, what earlier batches left is read
// from the buffers when it is added to.
class TileStack {
 public:
  TileStack(const std::vector<float*>& buffers, int depth)
      : buffers_(buffers), depth_(depth), in_memory_(depth) {}

  TileProduct operands;  ///< of the next tile: `rows` and `cols` are set from outside

  /// The next tile has operands.rows × operands.cols sums and lies at `offset` of the buffers.
  void place(Index offset, Index stride) {
    offset_ = offset;
    stride_ = stride;
    top_ = in_memory_ = depth_;
  }

  /// The sums of the batch, from panels of A and G.
  void add(const std::vector<GradientSum::Push>& plan, const float* a, const float* g) {
    for (const GradientSum::Push& push : plan) {
      if (push.begin == push.end) {
        add_top(push.additions);
        continue;
      }
      operands.depth = push.end - push.begin;
      operands.a = a + push.begin * kTileRows;
      operands.b = g + push.begin * kTileCols;
      push_product(push.additions, &push == &plan.back());
    }
    store();
  }

 private:
  // The product of `operands` goes onto the stack, and `additions` follow, all in registers. The last one of
  // the batch goes straight to where it stays.
  void push_product(int additions, bool is_last) {
    while (in_memory_ > top_ - additions) load(--in_memory_);
    operands.additions = additions;
    operands.addends = tile(std::max(top_ - 1, 0));
    top_ -= additions;
    operands.c = is_last ? buffer(top_) : tile(top_);
    operands.c_step = is_last ? stride_ : kTileCols;
    kernel_(operands);
    if (!is_last) ++top_;
  }

  void add_top(int additions) {
    for (; additions > 0; --additions) {
      --top_;
      while (in_memory_ >= top_) load(--in_memory_);
      add_floats(tile(top_ - 1), tile(top_), operands.rows * kTileCols);
    }
  }

  void store() {
    for (; in_memory_ < top_; ++in_memory_)
      for (Index i = 0; i < operands.rows; ++i)
        std::memcpy(buffer(in_memory_) + i * stride_, tile(in_memory_) + i * kTileCols,
                    static_cast<std::size_t>(operands.cols) * sizeof(float));
  }

  float* tile(int level) { return tiles_[static_cast<std::size_t>(level)].data(); }
  float* buffer(int level) { return buffers_[static_cast<std::size_t>(level)] + offset_; }

  void load(int level) {
    for (Index i = 0; i < operands.rows; ++i)
      std::memcpy(tile(level) + i * kTileCols, buffer(level) + i * stride_,
                  static_cast<std::size_t>(operands.cols) * sizeof(float));
  }

  const std::vector<float*>& buffers_;
  TileKernel kernel_ = fastest_kernel();
  int depth_;
  int in_memory_;
  int top_ = 0;
  Index offset_ = 0, stride_ = 0;
  alignas(64) std::array<std::array<float, kTileSize>, kMaxDepth> tiles_;
};

struct GradientSum::Packed {
  AlignedVector<float> a;
  PackedMatrix g;
};

GradientSum::GradientSum(const ParameterLayout& layout, std::vector<float*> buffers)
    : layout_(layout), buffers_(std::move(buffers)) {
  LOCKSTEP_CHECK_LE(buffers_.size(), static_cast<std::size_t>(kMaxDepth));
  Index widest = 0;
  for (const Tensor& tensor : layout.tensors()) widest = std::max(widest, tensor.shape.back());
  packed_ = std::make_unique<Packed>();
  packed_->g = PackedMatrix(Batch::kMaxRows, widest);
  packed_->a.resize(kBlockTiles * kTileRows * Batch::kMaxRows);
}

GradientSum::~GradientSum() = default;

int GradientSum::buffers_needed(TreeNode hosted) {
  // One more than the tree needs, for a shard whose rows come in several batches.
  return CarryStack::depth_needed(hosted.first, hosted.last) + 1;
}

void GradientSum::begin_step(TreeNode hosted) {
  hosted_ = hosted;
  stack_.reset(hosted.first);
  depth_ = depth_after_ = 0;
  held_additions_ = -1;
  is_open_ = false;
}

void GradientSum::begin_batch(std::span<const Segment> segments, bool is_last) {
  plan_.clear();
  depth_ = depth_after_;
  LOCKSTEP_CHECK(held_additions_ < 0 && (!holds_leaves_ || segments.size() == 1));
  for (const Segment& segment : segments) {
    if (!is_open_) {
      const int due = stack_.skip_to(segment.shard);
      if (due > 0) plan_.push_back({0, 0, due});
      depth_after_ -= due;
    }
    int additions = is_open_ ? 1 : 0;
    is_open_ = !segment.ends_shard;
    if (segment.ends_shard) {
      const int due = stack_.push({segment.shard, segment.shard + 1});
      if (holds_leaves_)
        held_additions_ = due;
      else
        additions += due;
    }
    plan_.push_back({segment.begin, segment.end, additions});
    depth_after_ += 1 - additions;
  }
  tells_ = is_last && notice_ != nullptr && !holds_leaves_;
  if (!tells_) return;
  // What finish_step() would add belongs to the sums that are then complete.
  const int due = stack_.skip_to(hosted_.last);
  if (due > 0) plan_.push_back({0, 0, due});
  depth_after_ -= due;
}

std::span<const TreeNode> GradientSum::finish_step() {
  LOCKSTEP_CHECK(!is_open_);
  closing_additions_ = stack_.skip_to(hosted_.last);
  for (int i = 0; i < closing_additions_; ++i) add_topmost();
  LOCKSTEP_CHECK_EQ(depth_after_, stack_.depth());
  return stack_.nodes();
}

const float* GradientSum::leaf() const {
  return held_additions_ < 0 ? nullptr : buffers_[static_cast<std::size_t>(depth_after_) - 1];
}

int GradientSum::add_leaf() {
  const int additions = std::exchange(held_additions_, -1);
  for (int i = 0; i < additions; ++i) add_topmost();
  return additions;
}

void GradientSum::add_topmost() {
  const auto top = static_cast<std::size_t>(--depth_after_);
  for (const Tensor& tensor : layout_.tensors())
    add_floats(buffers_[top - 1] + tensor.offset, buffers_[top] + tensor.offset, round_up_16(tensor.size));
}

void GradientSum::add_product(int tensor, ConstMatrix a, ConstMatrix g) {
  const Tensor& target = layout_[tensor];
  LOCKSTEP_CHECK_EQ(target.size, a.cols * g.cols);
  if (g.cols == 1)
    return add(tensor, [&](Index begin, Index end, float* out) {
      multiply_transposed_column({a.row(begin), end - begin, a.cols, a.stride}, g.row(begin), g.stride, out);
    });
  packed_->g.pack(g);
  TileStack stack(buffers_, depth_);
  for (Index first = 0; first < a.cols; first += kBlockTiles * kTileRows) {
    const Index last = std::min(a.cols, first + kBlockTiles * kTileRows);
    pack_columns(a, first, last);
    for (Index column = 0; column < g.cols; column += kTileCols)
      for (Index i = first; i < last; i += kTileRows) {
        stack.operands.rows = std::min(kTileRows, last - i);
        stack.operands.cols = std::min(kTileCols, g.cols - column);
        stack.place(target.offset + i * g.cols + column, g.cols);
        stack.add(plan_, packed_->a.data() + (i - first) * a.rows,
                  packed_->g.panel(column / kTileCols, a.rows));
      }
  }
  finish_tensor(tensor);
}

// Columns [first, last) of A as panels of 12 columns, rows × 12 floats each.
void GradientSum::pack_columns(ConstMatrix a, Index first, Index last) {
  for (Index row = 0; row < a.rows; ++row) {
    const float* in = a.row(row) + first;
    float* out = packed_->a.data() + row * kTileRows;
    Index left = last - first;
    for (; left >= kTileRows; left -= kTileRows, in += kTileRows, out += a.rows * kTileRows)
      std::memcpy(out, in, kTileRows * sizeof(float));
    std::copy_n(in, left, out);
  }
}

void GradientSum::add_product(int tensor, const Features& a, ConstMatrix g) {
  if (!a.is_sparse) return add_product(tensor, a.dense, g);
  const Tensor& target = layout_[tensor];
  const SparseRows& rows = a.sparse;
  add(tensor, [&](Index begin, Index end, float* out) {
    std::fill_n(out, target.size, 0.0F);
    for (Index row = begin; row < end; ++row)
      for (Index entry = rows.offsets[row]; entry < rows.offsets[row + 1]; ++entry) {
        float* sums = out + static_cast<Index>(rows.columns[entry]) * g.cols;
        // Fused like the dense kernel, whose zeros add nothing: sparse and dense rows give equal bits.
        for (Index k = 0; k < g.cols; ++k) sums[k] = std::fma(rows.values[entry], g.row(row)[k], sums[k]);
      }
  });
}

void GradientSum::add_columns(int tensor, ConstMatrix g) {
  add(tensor, [&](Index begin, Index end, float* out) {
    if (g.cols == 1) {  // the chain stays in a register
      float sum = 0.0F;
      for (Index row = begin; row < end; ++row) sum += *g.row(row);
      *out = sum;
      return;
    }
    std::fill_n(out, g.cols, 0.0F);
    for (Index row = begin; row < end; ++row)
      for (Index k = 0; k < g.cols; ++k) out[k] += g.row(row)[k];
  });
}

void GradientSum::add_leaves(int tensor, const void* self, LeafFunction write) {
  const Tensor& target = layout_[tensor];
  const Index padded = round_up_16(target.size);
  int depth = depth_;
  for (const Push& push : plan_) {
    if (push.end > push.begin)
      write(self, push.begin, push.end, buffers_[static_cast<std::size_t>(depth++)] + target.offset);
    for (int k = 0; k < push.additions; ++k) {
      --depth;
      const auto top = static_cast<std::size_t>(depth);
      add_floats(buffers_[top - 1] + target.offset, buffers_[top] + target.offset, padded);
    }
  }
  finish_tensor(tensor);
}

}  // namespace lockstep
