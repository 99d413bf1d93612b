// SPDX-License-Identifier: Apache-2.0
#include "report/product_limit.h"

#include <Eigen/Core>
#include <algorithm>
#include <functional>
#include <vector>

#include "core/clock.h"
#include "core/gemm.h"
#include "report/statistics.h"

namespace lockstep {

namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int kRounds = 9;

double median_seconds(const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    const double start = now_seconds();
    work();
    times.push_back(now_seconds() - start);
  }
  return median(times);
}

ConstMatrix view(const RowMajor& m) {
  return {m.data(), m.rows(), m.cols(), m.cols()};
}

Matrix view(RowMajor& m) {
  return {m.data(), m.rows(), m.cols(), m.cols()};
}

// Xᵀ·G by our kernel, as GradientSum does it for a single shard.
void sum_products(const RowMajor& x, const RowMajor& g, PackedMatrix& packed, float* panels, RowMajor& sums) {
  constexpr Index kBlock = 8 * kTileRows;
  packed.pack(view(g));
  TileProduct tile;
  tile.depth = x.rows();
  tile.c_step = sums.cols();
  for (Index first = 0; first < x.cols(); first += kBlock) {
    const Index last = std::min<Index>(x.cols(), first + kBlock);
    for (Index k = 0; k < x.rows(); ++k)
      for (Index i = first; i < last; i += kTileRows)
        std::copy_n(x.data() + k * x.cols() + i, std::min(kTileRows, last - i),
                    panels + (i - first) * x.rows() + k * kTileRows);
    for (Index column = 0; column < sums.cols(); column += kTileCols)
      for (Index i = first; i < last; i += kTileRows) {
        tile.rows = std::min(kTileRows, last - i);
        tile.cols = std::min<Index>(kTileCols, sums.cols() - column);
        tile.a = panels + (i - first) * x.rows();
        tile.b = packed.panel(column / kTileCols, x.rows());
        tile.c = sums.data() + i * sums.cols() + column;
        fastest_kernel()(tile);
      }
  }
}

double layer_seconds(Index rows, Index inputs, Index outputs, bool is_first) {
  const RowMajor x = RowMajor::Random(rows, inputs), w = RowMajor::Random(inputs, outputs),
                 g = RowMajor::Random(rows, outputs);
  RowMajor y(rows, outputs), gradient(inputs, outputs), back(rows, inputs);
  PackedMatrix packed(std::max({rows, inputs, outputs}), outputs);
  AlignedVector<float> panels(static_cast<std::size_t>(rows * (inputs + kTileRows)));
  const auto own_forward = [&] { multiply({.a = view(x), .b = view(w), .c = view(y)}, packed); };
  const auto own_gradient = [&] { sum_products(x, g, packed, panels.data(), gradient); };
  const auto own_back = [&] { multiply_transposed({.a = view(g), .b = view(w), .c = view(back)}, packed); };
  double total =
      std::min(median_seconds([&] { y.noalias() = x * w; }), median_seconds(own_forward)) +
      std::min(median_seconds([&] { gradient.noalias() = x.transpose() * g; }), median_seconds(own_gradient));
  if (!is_first)
    total += std::min(median_seconds([&] { back.noalias() = g * w.transpose(); }), median_seconds(own_back));
  return total;
}

}  // namespace

double product_seconds(const ParameterLayout& layout, Index rows) {
  double total = 0;
  bool is_first = true;
  for (const Tensor& tensor : layout.tensors()) {
    if (tensor.shape.size() != 2 || tensor.shape[1] < 2) continue;
    total += layer_seconds(rows, tensor.shape[0], tensor.shape[1], is_first);
    is_first = false;
  }
  return total;
}

}  // namespace lockstep
