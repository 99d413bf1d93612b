// SPDX-License-Identifier: Apache-2.0
#include "model/products.h"

#include <algorithm>
#include <cmath>

#include "core/gemv.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

void multiply_sparse(const SparseRows& x, ConstMatrix weights, const float* bias, Matrix scores) {
  for (Index row = 0; row < x.rows; ++row) {
    float* out = scores.row(row);
    if (bias != nullptr)
      std::copy_n(bias, scores.cols, out);
    else
      std::fill_n(out, scores.cols, 0.0F);
    for (Index entry = x.offsets[row]; entry < x.offsets[row + 1]; ++entry) {
      const float* weight = weights.row(x.columns[entry]);
      for (Index k = 0; k < scores.cols; ++k) out[k] = std::fma(x.values[entry], weight[k], out[k]);
    }
  }
}

}  // namespace

void multiply_features(const Features& x, ConstMatrix weights, const float* bias, PackedMatrix& packed,
                       Matrix scores, TileFinish finish) {
  if (!x.is_sparse && scores.cols > 1)
    return multiply({.a = x.dense, .b = weights, .c = scores, .initial = bias, .finish = finish}, packed);
  if (x.is_sparse) {
    multiply_sparse(x.sparse, weights, bias, scores);
  } else {  // the columns of weights lie one behind the other
    LOCKSTEP_CHECK_EQ(weights.stride, 1);
    multiply_column(x.dense, weights.data, bias == nullptr ? 0.0F : *bias, scores.data, scores.stride);
  }
  if (finish.call != nullptr) finish.call(finish.self, 0, 0, scores);
}

}  // namespace lockstep
