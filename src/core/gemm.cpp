// SPDX-License-Identifier: Apache-2.0
#include "core/gemm.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// out[k * 32 + i] = in(i, k) for eight rows, of which those from in.rows on are zero.
void transpose_eight(ConstMatrix in, float* out) {
  __m256 x[8], pair[8], four[8];
  Index k = 0;
  for (; in.rows == 8 && k + 8 <= in.cols; k += 8) {
    for (int i = 0; i < 8; ++i) x[i] = _mm256_loadu_ps(in.row(i) + k);
    for (int i = 0; i < 8; i += 2) {
      pair[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
      pair[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      four[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
      four[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xEE);
      four[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
      four[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; ++i) {
      _mm256_store_ps(out + (k + i) * kTileCols, _mm256_permute2f128_ps(four[i], four[i + 4], 0x20));
      _mm256_store_ps(out + (k + i + 4) * kTileCols, _mm256_permute2f128_ps(four[i], four[i + 4], 0x31));
    }
  }
  for (; k < in.cols; ++k)
    for (Index i = 0; i < 8; ++i) out[k * kTileCols + i] = i < in.rows ? in.row(i)[k] : 0.0F;
}

// Columns [column, column + cols) of Bᵀ, that is rows of B, as a panel.
void pack_transposed(ConstMatrix b, Index column, Index cols, float* panel) {
  for (Index j = 0; j < kTileCols; j += 8)
    transpose_eight({b.row(column + j), std::clamp<Index>(cols - j, 0, 8), b.cols, b.stride}, panel + j);
}

// One panel of columns of the result. The first tile packs B, if there is a panel to pack it into.
void multiply_panel(const Product& product, Index column, TileProduct& tile, TileKernel kernel) {
  const float* const packed = tile.panel != nullptr ? tile.panel : tile.b;
  const Index rows = product.c.rows;
  const Index tiles = (rows + kTileRows - 1) / kTileRows;
  tile.cols = std::min(kTileCols, product.c.cols - column);
  if (product.initial != nullptr) tile.initial = product.initial + column;
  for (Index number = 0; number < tiles; ++number) {
    const Index row = number * rows / tiles;  // as even as can be: short tiles wait for their sums
    tile.rows = (number + 1) * rows / tiles - row;
    tile.a = product.a.row(row);
    tile.c = product.c.row(row) + column;
    if (product.gate.data != nullptr) tile.gate = product.gate.row(row) + column;
    kernel(tile);
    if (product.finish.call != nullptr)
      product.finish.call(product.finish.self, row, column,
                          Matrix{tile.c, tile.rows, tile.cols, tile.c_step});
    tile.b = packed;
    tile.panel = nullptr;
  }
}

TileProduct tile_of(const Product& product) {
  TileProduct tile;
  tile.depth = product.a.cols;
  tile.a_step = product.a.stride;
  tile.b_step = product.b.stride;
  tile.c_step = product.c.stride;
  tile.is_rectified = product.is_rectified;
  tile.gate_step = product.gate.stride;
  tile.gate_scale = product.gate_scale;
  return tile;
}

}  // namespace

TileKernel fastest_kernel() {
  static const TileKernel kernel = avx512_kernel() != nullptr ? avx512_kernel() : avx2_kernel();
  return kernel;
}

void PackedMatrix::pack(ConstMatrix b) {
  float* const begin = panel(0, b.rows);
  for (Index k = 0; k < b.rows; ++k)
    for (Index column = 0; column < b.cols; column += kTileCols) {
      const Index cols = std::min(kTileCols, b.cols - column);
      float* const out = begin + column * b.rows + k * kTileCols;
      if (cols == kTileCols)
        std::memcpy(out, b.row(k) + column, kTileCols * sizeof(float));
      else
        std::fill(std::copy_n(b.row(k) + column, cols, out), out + kTileCols, 0.0F);
    }
}

PackedMatrix::PackedMatrix(Index depth, Index cols)
    : data_(static_cast<std::size_t>(depth * ((cols + kTileCols - 1) / kTileCols * kTileCols))) {}

float* PackedMatrix::panel(Index number, Index depth) {
  LOCKSTEP_CHECK_LE(static_cast<std::size_t>((number + 1) * depth * kTileCols), data_.size());
  return data_.data() + number * depth * kTileCols;
}

void multiply(const Product& product, PackedMatrix& packed, TileKernel kernel) {
  TileProduct tile = tile_of(product);
  for (Index column = 0; column < product.c.cols; column += kTileCols) {
    tile.b = product.b.data + column;
    tile.panel = packed.panel(0, tile.depth);
    multiply_panel(product, column, tile, kernel);
  }
}

void multiply_transposed(const Product& product, PackedMatrix& packed, TileKernel kernel) {
  TileProduct tile = tile_of(product);
  float* const panel = packed.panel(0, tile.depth);
  tile.b = panel;
  for (Index column = 0; column < product.c.cols; column += kTileCols) {
    pack_transposed(product.b, column, std::min(kTileCols, product.c.cols - column), panel);
    multiply_panel(product, column, tile, kernel);
  }
}

void add_floats(float* left, const float* right, Index count) {
  for (Index i = 0; i < count; i += 8)
    _mm256_store_ps(left + i, _mm256_add_ps(_mm256_load_ps(left + i), _mm256_load_ps(right + i)));
}

}  // namespace lockstep
