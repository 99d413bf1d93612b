// SPDX-License-Identifier: Apache-2.0
// The matrix products of the network 784-256-128-10, one by one, in GF/s: forward X·W, gradient XᵀG (by our
// kernels also as the canonical sum of the default shards) and backward G·Wᵀ. Our kernels against Eigen and,
// where one was found, OpenBLAS. Verified before they are timed, interleaved, repeated: so operands lie in
// the caches as far as they fit. The fastest twentieth counts.
#include <Eigen/Core>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/gemm.h"
#include "lockstep/model/gradient_sum.h"
#ifdef LOCKSTEP_BENCH_BLAS
#include <cblas.h>
#endif

namespace lockstep {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix view(RowMajor& m) {
  return {m.data(), m.rows(), m.cols(), m.cols()};
}

#ifdef LOCKSTEP_BENCH_BLAS
void multiply_blas(const RowMajor& a, CBLAS_TRANSPOSE transposes_a, const RowMajor& b,
                   CBLAS_TRANSPOSE transposes_b, RowMajor& c) {
  const Index depth = transposes_a == CblasTrans ? a.rows() : a.cols();
  const auto size = [](Index count) { return static_cast<int>(count); };
  cblas_sgemm(CblasRowMajor, transposes_a, transposes_b, size(c.rows()), size(c.cols()), size(depth), 1.0F,
              a.data(), size(a.cols()), b.data(), size(b.cols()), 0.0F, c.data(), size(c.cols()));
}
#endif

/// One way to compute a product.
struct Way {
  std::string name;
  std::function<void(RowMajor&)> run;
  std::vector<double> seconds;
};

/// The three products of a layer of n rows, d inputs, k outputs.
class Layer {
 public:
  Layer(Index n, Index d, Index k, int shards)
      : x_(RowMajor::Random(n, d)),
        w_(RowMajor::Random(d, k)),
        g_(RowMajor::Random(n, k)),
        packed_(std::max(d, k), 1),
        buffers_(8) {
    layout_.add("weight", {d, k}, true);
    std::vector<float*> buffers;
    for (auto& buffer : buffers_) {
      buffer.resize(static_cast<std::size_t>(layout_.size()));
      buffers.push_back(buffer.data());
    }
    sums_ = std::make_unique<GradientSum>(layout_, buffers);
    time("X·W ", {n, k}, forward());
    time("XᵀG ", {d, k}, gradient(shards));
    time("G·Wᵀ", {n, d}, backward());
  }

 private:
  struct Shape {
    Index rows, cols;
  };

  static std::vector<std::pair<std::string, TileKernel>> kernels() {
    std::vector<std::pair<std::string, TileKernel>> all = {{"AVX2", avx2_kernel()}};
    if (avx512_kernel() != nullptr) all.emplace_back("AVX-512", avx512_kernel());
    return all;
  }

  std::vector<Way> forward() {
    std::vector<Way> ways = {{"Eigen", [this](RowMajor& y) { y.noalias() = x_ * w_; }, {}}};
#ifdef LOCKSTEP_BENCH_BLAS
    ways.push_back(
        {"OpenBLAS", [this](RowMajor& y) { multiply_blas(x_, CblasNoTrans, w_, CblasNoTrans, y); }, {}});
#endif
    for (const auto& [name, kernel] : kernels())
      ways.push_back({name,
                      [this, kernel = kernel](RowMajor& y) {
                        multiply({.a = view(x_), .b = view(w_), .c = view(y)}, packed_, kernel);
                      },
                      {}});
    return ways;
  }

  std::vector<Way> backward() {
    std::vector<Way> ways = {{"Eigen", [this](RowMajor& y) { y.noalias() = g_ * w_.transpose(); }, {}}};
#ifdef LOCKSTEP_BENCH_BLAS
    ways.push_back(
        {"OpenBLAS", [this](RowMajor& y) { multiply_blas(g_, CblasNoTrans, w_, CblasTrans, y); }, {}});
#endif
    for (const auto& [name, kernel] : kernels())
      ways.push_back({name,
                      [this, kernel = kernel](RowMajor& y) {
                        multiply_transposed({.a = view(g_), .b = view(w_), .c = view(y)}, packed_, kernel);
                      },
                      {}});
    return ways;
  }

  std::vector<Way> gradient(int shards) {
    std::vector<Way> ways = {{"Eigen", [this](RowMajor& y) { y.noalias() = x_.transpose() * g_; }, {}}};
#ifdef LOCKSTEP_BENCH_BLAS
    ways.push_back(
        {"OpenBLAS", [this](RowMajor& y) { multiply_blas(x_, CblasTrans, g_, CblasNoTrans, y); }, {}});
#endif
    for (const int count : {1, shards})
      ways.push_back({std::to_string(count) + " shards", [this, count](RowMajor& y) { sum(count, y); }, {}});
    return ways;
  }

  void sum(int shards, RowMajor& y) {
    segments_.clear();
    for (int i = 0; i < shards; ++i)
      segments_.push_back({i, i * x_.rows() / shards, (i + 1) * x_.rows() / shards, 0, true});
    sums_->begin_step({0, shards});
    sums_->begin_batch(segments_);
    sums_->add_product(0, view(x_), view(g_));
    sums_->finish_step();
    if (is_verifying_) std::copy_n(buffers_[0].data(), y.size(), y.data());
  }

  void time(const char* product, Shape shape, std::vector<Way> ways) {
    const double flop = 2.0 * static_cast<double>(x_.rows() * w_.size());
    RowMajor expected(shape.rows, shape.cols), out(shape.rows, shape.cols);
    is_verifying_ = true;
    ways.front().run(expected);
    for (Way& way : ways) {
      out.setZero();
      way.run(out);
      if ((out - expected).cwiseAbs().maxCoeff() > 1e-2F) std::printf("%s is wrong\n", way.name.c_str());
    }
    is_verifying_ = false;
    const int rounds = std::clamp(static_cast<int>(2e9 / flop), 9, 400);
    for (int round = 0; round < rounds; ++round)
      for (Way& way : ways) {
        way.run(out);  // the one before has used the caches
        const double start = now_seconds();
        way.run(out);
        way.seconds.push_back(now_seconds() - start);
      }
    std::printf("%4ld × %3ld × %3ld  %s", static_cast<long>(x_.rows()), static_cast<long>(w_.rows()),
                static_cast<long>(w_.cols()), product);
    for (Way& way : ways) {
      std::sort(way.seconds.begin(), way.seconds.end());
      std::printf("  %s %.0f", way.name.c_str(), flop / way.seconds[way.seconds.size() / 20] / 1e9);
    }
    std::printf("\n");
  }

  RowMajor x_, w_, g_;
  PackedMatrix packed_;
  ParameterLayout layout_;
  std::vector<AlignedVector<float>> buffers_;
  std::unique_ptr<GradientSum> sums_;
  std::vector<Segment> segments_;
  bool is_verifying_ = false;
};

}  // namespace
}  // namespace lockstep

int main() {
  for (const lockstep::Index n : {64, 1000})
    for (const auto& [d, k] : {std::pair{784, 256}, std::pair{256, 128}, std::pair{128, 10}})
      lockstep::Layer(n, d, k, n == 64 ? 2 : 16);
  return 0;
}
