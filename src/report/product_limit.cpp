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

double layer_seconds(Index rows, Index inputs, Index outputs, bool is_first) {
  const RowMajor x = RowMajor::Random(rows, inputs), w = RowMajor::Random(inputs, outputs),
                 g = RowMajor::Random(rows, outputs);
  RowMajor y(rows, outputs), gradient(inputs, outputs), back(rows, inputs);
  PackedMatrix packed(std::max(inputs, outputs), std::max(inputs, outputs));
  const auto own_forward = [&] {
    packed.pack(view(w));
    multiply(view(x), packed, nullptr, view(y));
  };
  const auto own_back = [&] {
    packed.pack_transposed(view(w));
    multiply(view(g), packed, nullptr, view(back));
  };
  double total = std::min(median_seconds([&] { y.noalias() = x * w; }), median_seconds(own_forward)) +
                 median_seconds([&] { gradient.noalias() = x.transpose() * g; });
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
