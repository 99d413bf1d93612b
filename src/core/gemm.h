// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/aligned.h"
#include "core/gemm_kernel.h"
#include "lockstep/core/view.h"

namespace lockstep {

// Matrix products whose bits do not depend on the shape of the call: every element of the result is one chain
// of fused multiply-adds in ascending depth, whichever tile it falls into. So a row may be computed alone or
// among a thousand others, which no library promises: Eigen's, OpenBLAS' and oneDNN's rows change with the
// number of rows. That is why these are our own. They pack the right operand into panels of 32 columns and
// keep a tile of sums in registers (Goto and van de Geijn, 2008). Nor do the bits depend on the kernel.

/// Room for the right operand of a product in panels of 32 columns: depth × 32 floats each, zero behind the
/// last column.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  PackedMatrix(Index depth, Index cols);

  void pack(ConstMatrix b);
  /// Panel `number` of a matrix of this depth. The room must suffice.
  float* panel(Index number, Index depth);

 private:
  AlignedVector<float> data_;
};

/// What to do with a tile of a result as soon as it is complete, while it lies in the first-level cache:
/// `call(self, row, column, tile)`, where (row, column) is the place of its first element; columns begin at
/// multiples of 32. By reference: a copy of what was just written waits until the stores before it are done.
struct TileFinish {
  const void* self = nullptr;
  void (*call)(const void* self, Index row, Index column, const Matrix& tile) = nullptr;
};

/// From anything that can be called with (row, column, tile) and outlives the product.
template <class Function>
TileFinish finish_with(const Function& function) {
  return {&function, [](const void* self, Index row, Index column, const Matrix& tile) {
            (*static_cast<const Function*>(self))(row, column, tile);
          }};
}

/// C = r(1·initialᵀ + A·B) or with Bᵀ, where r is what the fields after `initial` ask for.
struct Product {
  ConstMatrix a;                   ///< m × d
  ConstMatrix b;                   ///< d × n, or n × d where it is transposed
  Matrix c;                        ///< m × n
  const float* initial = nullptr;  ///< n values, say a bias; null: zero
  bool is_rectified = false;       ///< negative elements become zero
  ConstMatrix gate;                ///< m × n: elements where it is not positive become zero …
  float gate_scale = 1.0F;         ///< … and the others are multiplied by this; no data: all stay
  TileFinish finish;
};

/// With B. Uses the first panel of `packed`, which needs room for d × 32.
void multiply(const Product& product, PackedMatrix& packed, TileKernel kernel = fastest_kernel());
/// With Bᵀ.
void multiply_transposed(const Product& product, PackedMatrix& packed, TileKernel kernel = fastest_kernel());

/// left[i] += right[i]; count a multiple of 16, both 64-byte aligned.
void add_floats(float* left, const float* right, Index count);

}  // namespace lockstep
