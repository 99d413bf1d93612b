// SPDX-License-Identifier: Apache-2.0
#include "core/gemm.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <utility>

namespace lockstep {

namespace {

constexpr Index kTileRows = 6;
constexpr Index kWidth = PackedMatrix::kWidth;

// Rows × 16 sums in registers. Every index is a constant from the start (hence the folds), or the compiler
// keeps a copy in memory up to date: measured, that halves the speed.
template <int kRows>
struct Sums {
  __m256 low[kRows];
  __m256 high[kRows];
};

template <int kRows>
using RowNumbers = std::make_integer_sequence<int, kRows>;

template <int kRows, int... i>
[[gnu::always_inline]] inline Sums<kRows> start(__m256 low, __m256 high, std::integer_sequence<int, i...>) {
  return {{(static_cast<void>(i), low)...}, {(static_cast<void>(i), high)...}};
}

// sums += A·B over `depth`, where a(i, k) is a[i * row_step + k * depth_step].
template <int kRows, int... i>
[[gnu::always_inline]] inline void accumulate(Index depth, const float* a, Index row_step, Index depth_step,
                                              const float* b, Sums<kRows>& sums,
                                              std::integer_sequence<int, i...>) {
  const auto step = [&](int row, __m256 low, __m256 high) __attribute__((always_inline)) {
    const __m256 x = _mm256_broadcast_ss(a + row * row_step);
    sums.low[row] = _mm256_fmadd_ps(x, low, sums.low[row]);
    sums.high[row] = _mm256_fmadd_ps(x, high, sums.high[row]);
  };
  for (Index k = 0; k < depth; ++k) {
    _mm_prefetch(reinterpret_cast<const char*>(b + 8 * kWidth), _MM_HINT_T0);
    const __m256 low = _mm256_load_ps(b);
    const __m256 high = _mm256_load_ps(b + 8);
    (step(i, low, high), ...);
    a += depth_step;
    b += kWidth;
  }
}

template <int kRows, int... i>
[[gnu::always_inline]] inline void store(const Sums<kRows>& sums, float* out, Index stride,
                                         std::integer_sequence<int, i...>) {
  ((_mm256_storeu_ps(out + i * stride, sums.low[i]), _mm256_storeu_ps(out + i * stride + 8, sums.high[i])),
   ...);
}

template <int kRows>
void multiply_rows(ConstMatrix a, const PackedMatrix& b, const float* initial, Matrix c) {
  constexpr RowNumbers<kRows> rows;
  alignas(64) std::array<float, kRows * kWidth> edge{};
  for (Index column = 0; column < c.cols; column += kWidth) {
    const Index width = std::min(kWidth, c.cols - column);
    if (initial != nullptr) std::copy_n(initial + column, width, edge.data());
    Sums<kRows> sums = start<kRows>(_mm256_load_ps(edge.data()), _mm256_load_ps(edge.data() + 8), rows);
    accumulate<kRows>(a.cols, a.data, a.stride, 1, b.panel(column / kWidth), sums, rows);
    if (width == kWidth) {
      store<kRows>(sums, c.data + column, c.stride, rows);
      continue;
    }
    store<kRows>(sums, edge.data(), kWidth, rows);
    for (int i = 0; i < kRows; ++i) std::copy_n(edge.data() + i * kWidth, width, c.row(i) + column);
  }
}

template <int kRows, int... i>
[[gnu::always_inline]] inline void add(Sums<kRows>& sums, const float* tile,
                                       std::integer_sequence<int, i...>) {
  ((sums.low[i] = _mm256_add_ps(_mm256_load_ps(tile + i * kWidth), sums.low[i]),
    sums.high[i] = _mm256_add_ps(_mm256_load_ps(tile + i * kWidth + 8), sums.high[i])),
   ...);
}

template <int kRows, bool kAdds>
void multiply_one_tile(Index depth, const float* a, const float* b, float* tile) {
  constexpr RowNumbers<kRows> rows;
  Sums<kRows> sums = start<kRows>(_mm256_setzero_ps(), _mm256_setzero_ps(), rows);
  accumulate<kRows>(depth, a, 1, kRows, b, sums, rows);
  if constexpr (kAdds) add<kRows>(sums, tile, rows);
  store<kRows>(sums, tile, kWidth, rows);
}

template <bool kAdds, int... i>
constexpr std::array<decltype(&multiply_one_tile<1, kAdds>), sizeof...(i)> tiles_by_rows(
    std::integer_sequence<int, i...>) {
  return {multiply_one_tile<i + 1, kAdds>...};
}

}  // namespace

void PackedMatrix::resize(Index depth, Index cols) {
  depth_ = depth;
  cols_ = cols;
  const auto size = static_cast<std::size_t>(depth * round_up_16(cols));
  if (data_.size() < size) data_.resize(size);
}

void PackedMatrix::pack(ConstMatrix b) {
  resize(b.rows, b.cols);
  const Index whole = b.cols / kWidth * kWidth;
  for (Index k = 0; k < depth_; ++k) {
    const float* row = b.row(k);
    for (Index j = 0; j < whole; j += kWidth) {
      float* out = data_.data() + j * depth_ + k * kWidth;
      _mm256_store_ps(out, _mm256_loadu_ps(row + j));
      _mm256_store_ps(out + 8, _mm256_loadu_ps(row + j + 8));
    }
    if (whole == cols_) continue;
    float* out = data_.data() + whole * depth_ + k * kWidth;
    std::fill(std::copy(row + whole, row + cols_, out), data_.data() + whole * depth_ + (k + 1) * kWidth,
              0.0F);
  }
}

void PackedMatrix::pack_transposed(ConstMatrix b) {
  resize(b.cols, b.rows);
  for (Index j = 0; j < round_up_16(cols_); ++j) {
    float* out = data_.data() + j / kWidth * kWidth * depth_ + j % kWidth;
    for (Index k = 0; k < depth_; ++k) out[k * kWidth] = j < cols_ ? b.row(j)[k] : 0.0F;
  }
}

void multiply(ConstMatrix a, const PackedMatrix& b, const float* initial, Matrix c) {
  static constexpr std::array kByRows = {multiply_rows<1>, multiply_rows<2>, multiply_rows<3>,
                                         multiply_rows<4>, multiply_rows<5>, multiply_rows<6>};
  for (Index row = 0; row < c.rows; row += kTileRows) {
    const Index rows = std::min(kTileRows, c.rows - row);
    kByRows[static_cast<std::size_t>(rows - 1)]({a.row(row), rows, a.cols, a.stride}, b, initial,
                                                {c.row(row), rows, c.cols, c.stride});
  }
}

void multiply_tile(Index depth, Index rows, const float* a, const float* b, float* tile) {
  static constexpr auto kByRows = tiles_by_rows<false>(RowNumbers<kTileRows>());
  kByRows[static_cast<std::size_t>(rows - 1)](depth, a, b, tile);
}

void add_multiplied_tile(Index depth, Index rows, const float* a, const float* b, float* tile) {
  static constexpr auto kByRows = tiles_by_rows<true>(RowNumbers<kTileRows>());
  kByRows[static_cast<std::size_t>(rows - 1)](depth, a, b, tile);
}

void add_floats(float* left, const float* right, Index count) {
  for (Index i = 0; i < count; i += 8)
    _mm256_store_ps(left + i, _mm256_add_ps(_mm256_load_ps(left + i), _mm256_load_ps(right + i)));
}

}  // namespace lockstep
