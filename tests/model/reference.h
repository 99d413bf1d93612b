// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "lockstep/core/parameter_layout.h"
#include "lockstep/core/view.h"

namespace lockstep::testing {

/// The definitions, written out in long double without regard to speed or overflow.
using Real = long double;

inline Real reference_margin_loss(const std::string& name, Real margin) {
  const Real gap = margin < 1 ? 1 - margin : 0;
  if (name == "hinge") return gap;
  if (name == "squared_hinge") return gap * gap;
  return margin < 0 ? -margin + std::log1p(std::exp(margin)) : std::log1p(std::exp(-margin));  // logistic
}

inline Real reference_loss(const std::string& name, const std::vector<Real>& scores, Real label,
                           Real huber_delta, Real smoothing) {
  const Real error = scores[0] - label;
  if (name == "squared") return error * error / 2;
  if (name == "absolute") return std::abs(error);
  if (name == "huber")
    return std::abs(error) <= huber_delta ? error * error / 2
                                          : huber_delta * (std::abs(error) - huber_delta / 2);
  if (name == "poisson") return std::exp(scores[0]) - label * scores[0];
  const auto outputs = static_cast<Real>(scores.size());
  Real total = 0;
  if (name == "cross_entropy") {
    Real sum = 0;  // long double: exp(±11,000) is finite
    for (const Real score : scores) sum += std::exp(score);
    for (std::size_t k = 0; k < scores.size(); ++k)
      total -= ((static_cast<Real>(k) == label ? 1 - smoothing : 0) + smoothing / outputs) *
               (scores[k] - std::log(sum));
    return total;
  }
  if (scores.size() == 1) return reference_margin_loss(name, label == 1 ? scores[0] : -scores[0]);
  for (std::size_t k = 0; k < scores.size(); ++k)
    total += reference_margin_loss(name, static_cast<Real>(k) == label ? scores[k] : -scores[k]);
  return total;
}

inline Real reference_activation(const std::string& name, Real z) {
  if (name == "relu") return z > 0 ? z : 0;
  if (name == "tanh") return std::tanh(z);
  if (name == "sigmoid") return 1 / (1 + std::exp(-z));
  if (name == "gelu")
    return z / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(Real(-1))) * (z + Real(0.044715) * z * z * z)));
  return z;
}

/// Scores of one row by a factorization machine, pair by pair: "weight" (D × K·(1 + k)) and perhaps "bias"
/// (K).
inline std::vector<Real> reference_pair_scores(const ParameterLayout& layout,
                                               const std::vector<Real>& weights, const float* row,
                                               Index features, std::size_t outputs) {
  const Real* const weight = weights.data() + layout[0].offset;
  const auto width = static_cast<std::size_t>(layout[0].shape[1]), factors = width / outputs - 1;
  std::vector<Real> scores(outputs, 0);
  const auto inputs = static_cast<std::size_t>(features);
  for (std::size_t o = 0; o < outputs; ++o) {
    if (layout.tensors().size() > 1) scores[o] = weights[static_cast<std::size_t>(layout[1].offset) + o];
    for (std::size_t i = 0; i < inputs; ++i) {
      scores[o] += weight[i * width + o] * row[i];
      for (std::size_t j = 0; j < i; ++j)
        for (std::size_t f = outputs + o * factors; f < outputs + (o + 1) * factors; ++f)
          scores[o] += weight[i * width + f] * weight[j * width + f] * row[i] * row[j];
    }
  }
  return scores;
}

/// Scores of one row: tensors of two dimensions are layers, those of one dimension the biases behind them.
template <class Number>
std::vector<Real> reference_scores(const ParameterLayout& layout, const std::vector<Real>& weights,
                                   const Number* row, Index features, const std::string& activation) {
  std::vector<Real> values(row, row + features);
  bool is_first = true;
  for (const Tensor& tensor : layout.tensors()) {
    const Real* in = weights.data() + tensor.offset;
    if (tensor.name == "embedding") continue;  // the row holds its values
    if (tensor.shape.size() == 1) {
      for (std::size_t k = 0; k < values.size(); ++k) values[k] += in[k];
      continue;
    }
    if (!is_first)
      for (Real& value : values) value = reference_activation(activation, value);
    is_first = false;
    std::vector<Real> next(static_cast<std::size_t>(tensor.shape[1]), 0);
    for (std::size_t j = 0; j < values.size(); ++j)
      for (std::size_t k = 0; k < next.size(); ++k) next[k] += values[j] * in[j * next.size() + k];
    values = next;
  }
  return values;
}

}  // namespace lockstep::testing
