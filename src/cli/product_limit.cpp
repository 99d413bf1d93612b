// SPDX-License-Identifier: Apache-2.0
#include "cli/product_limit.h"

#include <Eigen/Core>
#include <algorithm>
#include <array>

#include "core/clock.h"
#include "core/gemm.h"
#include "lockstep/model/gradient_sum.h"
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

Matrix writable(RowMajor& m) {
  return {m.data(), m.rows(), m.cols(), m.cols()};
}

}  // namespace

struct ProductLimit::Layer {
  Layer(Index rows, Index in, Index out)
      : x(RowMajor::Random(rows, in)),
        w(RowMajor::Random(in, out)),
        g(RowMajor::Random(rows, out)),
        y(rows, out),
        before(rows, in),
        packed(std::max(in, out), 1) {
    layout.add("weight", {in, out}, true);
    gradient.resize(static_cast<std::size_t>(layout.size()));
    // The second is for a shard that comes in several batches.
    sums = std::make_unique<GradientSum>(layout, std::vector<float*>{gradient.data(), gradient.data()});
  }
  void forward() { multiply({.a = view(x), .b = view(w), .c = writable(y)}, packed); }
  void back() { multiply_transposed({.a = view(g), .b = view(w), .c = writable(before)}, packed); }
  void sum() {
    const std::array segments = {Segment{0, 0, x.rows(), 0, true}};
    sums->begin_step({0, 1});
    sums->begin_batch(segments);
    sums->add_product(0, view(x), view(g));
    sums->finish_step();
  }
  void forward_eigen() { y.noalias() = x * w; }
  void back_eigen() { before.noalias() = g * w.transpose(); }
  void sum_eigen() {
    Eigen::Map<RowMajor>(gradient.data(), w.rows(), w.cols()).noalias() = x.transpose() * g;
  }

  RowMajor x, w, g, y, before;
  PackedMatrix packed;
  ParameterLayout layout;
  AlignedVector<float> gradient;
  std::unique_ptr<GradientSum> sums;
};

ProductLimit::ProductLimit(const ParameterLayout& layout, Index rows) {
  const Index timed = std::min(rows, Batch::kMaxRows);
  repetitions_ = static_cast<double>(rows) / static_cast<double>(std::max<Index>(timed, 1));
  for (const Tensor& tensor : layout.tensors())
    if (timed > 0 && tensor.shape.size() == 2 && tensor.shape[1] > 1)
      layers_.push_back(std::make_unique<Layer>(timed, tensor.shape[0], tensor.shape[1]));
  for (const auto& layer : layers_) add(*layer, &Layer::forward, &Layer::forward_eigen);
  for (std::size_t i = layers_.size(); i-- > 0;) {
    add(*layers_[i], &Layer::sum, &Layer::sum_eigen);
    if (i > 0) add(*layers_[i], &Layer::back, &Layer::back_eigen);
  }
}

ProductLimit::~ProductLimit() = default;

void ProductLimit::add(Layer& layer, void (Layer::*own)(), void (Layer::*eigen)()) {
  const bool is_own = median_seconds([&] { (layer.*own)(); }) < median_seconds([&] { (layer.*eigen)(); });
  products_.emplace_back([&layer, product = is_own ? own : eigen] { (layer.*product)(); });
}

double ProductLimit::seconds() const {
  return repetitions_ * median_seconds([&] {
           for (const auto& product : products_) product();
         });
}

}  // namespace lockstep
