// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace [[gnu::visibility("default")]] lockstep {

using Index = std::int64_t;

/// Rows of floats somewhere else: element (i, j) is data[i * stride + j].
struct ConstMatrix {
  const float* data = nullptr;
  Index rows = 0;
  Index cols = 0;
  Index stride = 0;

  const float* row(Index i) const { return data + i * stride; }
};

/// The same, writable.
struct Matrix {
  float* data = nullptr;
  Index rows = 0;
  Index cols = 0;
  Index stride = 0;

  float* row(Index i) const { return data + i * stride; }
  operator ConstMatrix() const { return {data, rows, cols, stride}; }
};

/// Compressed sparse rows: row i holds entries offsets[i] … offsets[i + 1] - 1, columns ascending.
struct SparseRows {
  const Index* offsets = nullptr;  ///< rows + 1
  const std::uint32_t* columns = nullptr;
  const float* values = nullptr;
  Index rows = 0;
  Index cols = 0;
};

/// The features of some rows (n × D), dense or sparse.
struct Features {
  bool is_sparse = false;
  ConstMatrix dense;
  SparseRows sparse;

  Index rows() const { return is_sparse ? sparse.rows : dense.rows; }
  Index cols() const { return is_sparse ? sparse.cols : dense.cols; }
};

}  // namespace lockstep
