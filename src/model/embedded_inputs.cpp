// SPDX-License-Identifier: Apache-2.0
#include "model/embedded_inputs.h"

#include <algorithm>
#include <cmath>

#include "core/philox.h"
#include "lockstep/core/error.h"

namespace lockstep {

EmbeddedInputs::EmbeddedInputs(const ModelShape& shape, Index width, ParameterLayout& layout)
    : layout_(layout), width_(width) {
  if (shape.is_sparse)
    throw Error(ExitCode::kConfig, "features of categories cannot be embedded where rows are sparse");
  Index rows = 0;
  for (Index j = 0; j < shape.features; ++j) {
    const Index count = shape.categories[static_cast<std::size_t>(j)];
    if (count == 0)
      numbers_.push_back(j);
    else
      categories_.push_back({j, count, rows});
    rows += count;
  }
  tensor_ = layout.add("embedding", {rows, width}, true);
  stride_ = round_up_16(inputs());
  gradient_stride_ = round_up_16(embedded());
  values_.resize(static_cast<std::size_t>(Batch::kMaxRows * stride_));
  gradient_.resize(static_cast<std::size_t>(Batch::kMaxRows * gradient_stride_));
}

void EmbeddedInputs::initialize(std::uint64_t seed, float* weights) const {
  constexpr std::uint32_t kStream = 0xFFFFFFFFU;  // layers count from 0
  const Philox random(seed, Purpose::kInitialize, kStream);
  const float spread = 1.0F / std::sqrt(static_cast<float>(width_));
  float* const out = weights + layout_[tensor_].offset;
  for (Index i = 0; i < layout_[tensor_].size; ++i) {
    const auto words = random.words(static_cast<std::uint64_t>(i));
    out[i] = spread * Philox::to_normal(words[0], words[1]);
  }
}

// A code beyond the known ones, or NaN, is unseen.
Index EmbeddedInputs::row_of(const Category& category, const float* features) {
  const float code = features[category.feature];
  if (!(code >= 0 && code < static_cast<float>(category.count))) return -1;
  return category.first + static_cast<Index>(code);
}

Features EmbeddedInputs::gather(const float* weights, const Features& features) {
  const float* const embedding = weights + layout_[tensor_].offset;
  for (Index i = 0; i < features.rows(); ++i) {
    const float* const row = features.dense.row(i);
    float* out = values_.data() + i * stride_;
    for (const Index j : numbers_) *out++ = row[j];
    for (const Category& category : categories_) {
      if (const Index at = row_of(category, row); at >= 0)
        std::copy_n(embedding + at * width_, width_, out);
      else
        std::fill_n(out, width_, 0.0F);
      out += width_;
    }
  }
  return {false, {values_.data(), features.rows(), inputs(), stride_}, {}};
}

void EmbeddedInputs::backward(const Features& features, ConstMatrix layer, ConstMatrix gradient,
                              PackedMatrix& packed, GradientSum& sums) {
  const Matrix out{gradient_.data(), gradient.rows, embedded(), gradient_stride_};
  const ConstMatrix part{layer.row(numbers()), embedded(), layer.cols, layer.stride};
  multiply_transposed({.a = gradient, .b = part, .c = out}, packed);
  sums.add(tensor_, [&](Index begin, Index end, float* sum) {
    std::fill_n(sum, layout_[tensor_].size, 0.0F);
    for (Index i = begin; i < end; ++i) {
      const float* slopes = out.row(i);
      for (const Category& category : categories_) {
        if (const Index at = row_of(category, features.dense.row(i)); at >= 0)
          for (Index f = 0; f < width_; ++f) sum[at * width_ + f] += slopes[f];
        slopes += width_;
      }
    }
  });
}

}  // namespace lockstep
