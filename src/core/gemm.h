// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/aligned.h"
#include "lockstep/core/view.h"

namespace lockstep {

// Matrix products whose bits do not depend on the shape of the call: every element of the result is one chain
// of fused multiply-adds in ascending depth, whichever tile it falls into. So a row may be computed alone or
// among a thousand others, which no library promises: Eigen's, OpenBLAS' and oneDNN's rows change with the
// number of rows. That is why these are our own. They pack the right operand into panels of 16 columns and
// keep a tile of 6 × 16 sums in registers (Goto and van de Geijn, 2008).

/// Right operand of a product: panels of 16 columns, depth × 16 floats each, zero behind the last column.
class PackedMatrix {
 public:
  static constexpr Index kWidth = 16;

  PackedMatrix() = default;
  /// Room for any depth × cols up to these.
  PackedMatrix(Index depth, Index cols) : data_(static_cast<std::size_t>(depth * round_up_16(cols))) {}

  void pack(ConstMatrix b);
  void pack_transposed(ConstMatrix b);

  Index depth() const { return depth_; }
  Index cols() const { return cols_; }
  const float* panel(Index number) const { return data_.data() + number * depth_ * kWidth; }

 private:
  void resize(Index depth, Index cols);

  AlignedVector<float> data_;
  Index depth_ = 0;
  Index cols_ = 0;
};

/// C (m × n) = 1·initialᵀ + A (m × d) · B (d × n). `initial` (n values, say a bias) may be null: zero.
void multiply(ConstMatrix a, const PackedMatrix& b, const float* initial, Matrix c);

/// A tile of `rows` ≤ 6 by 16 sums: tile[i * 16 + j] = Σ_k a[k * rows + i] · b[k * 16 + j], k ascending.
void multiply_tile(Index depth, Index rows, const float* a, const float* b, float* tile);
/// The same sums, complete, added to what the tile holds.
void add_multiplied_tile(Index depth, Index rows, const float* a, const float* b, float* tile);

/// left[i] += right[i]; count a multiple of 16, both 64-byte aligned.
void add_floats(float* left, const float* right, Index count);

}  // namespace lockstep
