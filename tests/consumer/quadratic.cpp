// SPDX-License-Identifier: Apache-2.0
#include "quadratic.h"

#include <algorithm>

using lockstep::Index;

Quadratic::Quadratic(Index features, bool has_squares) : has_squares_(has_squares) {
  linear_ = layout_.add("linear", {features, 1}, true);
  if (has_squares_) square_ = layout_.add("square", {features, 1}, true);
  bias_ = layout_.add("bias", {1}, false);
  squares_.resize(static_cast<std::size_t>(lockstep::Batch::kMaxRows * features));
}

void Quadratic::initialize(std::uint64_t, float* weights) const {
  std::fill_n(weights, layout_.size(), 0.0f);
}

void Quadratic::forward(const float* weights, const lockstep::Batch& batch, lockstep::Pass,
                        lockstep::Matrix scores) {
  const lockstep::ConstMatrix& rows = batch.features.dense;
  for (Index i = 0; i < rows.rows; ++i) {
    const float* row = rows.row(i);
    float* squares = squares_.data() + i * rows.cols;
    float score = weights[layout_[bias_].offset];
    for (Index j = 0; j < rows.cols; ++j) {
      squares[j] = row[j] * row[j];
      score += weights[layout_[linear_].offset + j] * row[j];
      if (has_squares_) score += weights[layout_[square_].offset + j] * squares[j];
    }
    scores.row(i)[0] = score;
  }
}

void Quadratic::backward(const float*, const lockstep::Batch& batch, lockstep::ConstMatrix score_gradient,
                         lockstep::GradientSum& sums) {
  const lockstep::ConstMatrix& rows = batch.features.dense;
  sums.add_columns(bias_, score_gradient);
  if (has_squares_)
    sums.add_product(square_, lockstep::ConstMatrix{squares_.data(), rows.rows, rows.cols, rows.cols},
                     score_gradient);
  sums.add_product(linear_, batch.features, score_gradient);
}

lockstep::ModelRow quadratic_row() {
  lockstep::ModelRow row;
  row.name = "quadratic";
  row.summary = "a parabola in every feature";
  row.losses = {"log_cosh", "squared"};
  row.declare = [](lockstep::OptionTable& table) {
    table.flag("model.squares", true, "Whether squares of the features have weights too.");
  };
  row.create = [](const lockstep::Options& options, std::uint64_t,
                  const lockstep::ModelShape& shape) -> std::unique_ptr<lockstep::Model> {
    if (shape.is_sparse)
      throw lockstep::Error(lockstep::ExitCode::kConfig, "model.name = \"quadratic\" needs dense rows");
    return std::make_unique<Quadratic>(shape.features, options.flag("model.squares"));
  };
  return row;
}
