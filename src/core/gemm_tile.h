// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "core/gemm_kernel.h"

// The innermost loop of every dense product, for the registers that `Simd` names. It is compiled once for
// each instruction set, in a source of its own (gemm_avx2.cpp, gemm_avx512.cpp), whose `Simd` lies in an
// anonymous namespace: so no function made from it can be taken for that of another instruction set.

namespace lockstep {

/// kRows × (1 or 2 registers) sums, of which some columns are used. Every index is a constant from the start
/// (hence the folds), or the compiler keeps a copy in memory up to date: measured, that takes three times as
/// long.
template <class Simd, int kRows, bool kIsWide>
class TileSums {
 public:
  using Register = typename Simd::Register;
  static constexpr int kWidth = Simd::kWidth;

  explicit TileSums(Index cols) : first_(Simd::mask(cols)), second_(Simd::mask(cols - kWidth)) {}

  template <int... i>
  [[gnu::always_inline]] inline void start(const float* in, std::integer_sequence<int, i...>) {
    const Register x = in == nullptr ? Simd::zero() : Simd::load(in, first_);
    const Register y = in == nullptr || !kIsWide ? Simd::zero() : Simd::load(in + kWidth, second_);
    ((low_[i] = x, high_[i] = y), ...);
  }

  // sums(i, j) += a[i * step] · b[j]
  template <int... i>
  [[gnu::always_inline]] inline void add_products(const float* a, Index step, Register x, Register y,
                                                  std::integer_sequence<int, i...>) {
    const auto add = [&](int row) __attribute__((always_inline)) {
      const Register factor = Simd::broadcast(a + row * step);
      low_[row] = Simd::multiply_add(factor, x, low_[row]);
      if constexpr (kIsWide) high_[row] = Simd::multiply_add(factor, y, high_[row]);
    };
    (add(i), ...);
  }

  template <class Rows>
  [[gnu::always_inline]] inline void add_packed(const float* a, Index step, const float* b, Rows rows) {
    add_products(a, step, Simd::load(b), kIsWide ? Simd::load(b + kWidth) : Simd::zero(), rows);
  }

  // Copies b on the way: the port that stores has nothing else to do.
  template <class Rows>
  [[gnu::always_inline]] inline void add_and_pack(const float* a, Index step, const float* b, float* panel,
                                                  Rows rows) {
    const Register x = Simd::load(b, first_), y = kIsWide ? Simd::load(b + kWidth, second_) : Simd::zero();
    Simd::store(panel, x);
    if constexpr (kIsWide) Simd::store(panel + kWidth, y);
    add_products(a, step, x, y, rows);
  }

  template <int... i>
  [[gnu::always_inline]] inline void add_tile(const float* in, std::integer_sequence<int, i...>) {
    ((low_[i] = Simd::add(Simd::load(in + i * kTileCols), low_[i])), ...);
    if constexpr (kIsWide) ((high_[i] = Simd::add(Simd::load(in + i * kTileCols + kWidth), high_[i])), ...);
  }

  template <int... i>
  [[gnu::always_inline]] inline void rectify(std::integer_sequence<int, i...>) {
    ((low_[i] = Simd::rectify(low_[i])), ...);
    if constexpr (kIsWide) ((high_[i] = Simd::rectify(high_[i])), ...);
  }

  template <int... i>
  [[gnu::always_inline]] inline void gate(const float* in, Index step, const float* scale,
                                          std::integer_sequence<int, i...>) {
    const Register factor = Simd::broadcast(scale);
    ((low_[i] = Simd::gate(Simd::load(in + i * step, first_), factor, low_[i])), ...);
    if constexpr (kIsWide)
      ((high_[i] = Simd::gate(Simd::load(in + i * step + kWidth, second_), factor, high_[i])), ...);
  }

  template <int... i>
  [[gnu::always_inline]] inline void store(float* out, Index step, std::integer_sequence<int, i...>) const {
    (Simd::store(out + i * step, first_, low_[i]), ...);
    if constexpr (kIsWide) (Simd::store(out + i * step + kWidth, second_, high_[i]), ...);
  }

 private:
  typename Simd::Mask first_, second_;
  Register low_[kRows], high_[kRows];
};

template <class Simd, bool kIsWide>
[[gnu::always_inline]] inline void prefetch_row(const float* b) {
  _mm_prefetch(reinterpret_cast<const char*>(b), _MM_HINT_T0);
  if constexpr (kIsWide && Simd::kWidth == 16)
    _mm_prefetch(reinterpret_cast<const char*>(b + 16), _MM_HINT_T0);
}

enum class Form { kRows, kRowsPacking, kPacked };

/// The part of a tile that begins at (row, column). Fields are read one by one: a copy of what was just
/// written would wait until all stores before it are done.
template <class Simd, int kRows, bool kIsWide, Form kForm>
void multiply_part(const TileProduct& tile, Index row, Index column) {
  constexpr Index kAhead = 8;  // rows of B: about a hundred cycles
  constexpr std::make_integer_sequence<int, kRows> rows;
  TileSums<Simd, kRows, kIsWide> sums(tile.cols - column);
  sums.start(tile.initial == nullptr ? nullptr : tile.initial + column, rows);
  const Index row_step = kForm == Form::kPacked ? 1 : tile.a_step;
  const float* a = tile.a + row * row_step;
  const float* b = tile.b + column;
  Index left = tile.depth;
  if constexpr (kForm == Form::kRowsPacking) {
    float* panel = tile.panel + column;
    for (; left > 0; --left, ++a, b += tile.b_step, panel += kTileCols) {
      prefetch_row<Simd, kIsWide>(b + kAhead * tile.b_step);
      sums.add_and_pack(a, row_step, b, panel, rows);
    }
  } else {
    constexpr Index kStep = kForm == Form::kPacked ? kTileRows : 1;
    for (; left > 1; left -= 2, a += 2 * kStep, b += 2 * kTileCols) {
      prefetch_row<Simd, kIsWide>(b + kAhead * kTileCols);
      sums.add_packed(a, row_step, b, rows);
      prefetch_row<Simd, kIsWide>(b + (kAhead + 1) * kTileCols);
      sums.add_packed(a + kStep, row_step, b + kTileCols, rows);
    }
    if (left > 0) sums.add_packed(a, row_step, b, rows);
  }
  const float* in = tile.addends + (row * kTileCols + column);
  for (int i = 0; i < tile.additions; ++i, in -= kTileSize) sums.add_tile(in, rows);
  if (tile.is_rectified) sums.rectify(rows);
  if (tile.gate != nullptr)
    sums.gate(tile.gate + row * tile.gate_step + column, tile.gate_step, &tile.gate_scale, rows);
  sums.store(tile.c + row * tile.c_step + column, tile.c_step, rows);
}

using PartKernel = void (*)(const TileProduct&, Index row, Index column);

template <class Simd, bool kIsWide, Form kForm, int... i>
void multiply_rows(const TileProduct& tile, Index row, Index column, std::integer_sequence<int, i...>) {
  static constexpr PartKernel kByRows[] = {multiply_part<Simd, i + 1, kIsWide, kForm>...};
  constexpr Index kMax = sizeof...(i);
  kByRows[(tile.rows - row < kMax ? tile.rows - row : kMax) - 1](tile, row, column);
}

template <class Simd, int kMaxRows, Form kForm>
[[gnu::always_inline]] inline void multiply_form(const TileProduct& tile, Index row, Index column) {
  constexpr std::make_integer_sequence<int, kMaxRows> rows;
  if (tile.cols - column > Simd::kWidth) return multiply_rows<Simd, true, kForm>(tile, row, column, rows);
  multiply_rows<Simd, false, kForm>(tile, row, column, rows);
}

/// The part of up to kMaxRows × 2 registers that begins at (row, column).
template <class Simd, int kMaxRows>
[[gnu::always_inline]] inline void multiply_registers(const TileProduct& tile, Index row, Index column) {
  if (tile.a_step == 0) return multiply_form<Simd, kMaxRows, Form::kPacked>(tile, row, column);
  if (tile.panel != nullptr) return multiply_form<Simd, kMaxRows, Form::kRowsPacking>(tile, row, column);
  multiply_form<Simd, kMaxRows, Form::kRows>(tile, row, column);
}

}  // namespace lockstep
