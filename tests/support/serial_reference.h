// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep::testing {

/// Rows of a small problem, dense and in file order; labels are class numbers or target values.
struct ReferenceRows {
  std::vector<std::vector<double>> features;  ///< N × D
  std::vector<double> labels;                 ///< N
  std::vector<double> weights;                ///< N
};

/// What is trained and how, in words of its own: nothing here is read from Options.
struct ReferenceSettings {
  std::string loss;  ///< squared, logistic, hinge, squared_hinge, cross_entropy
  std::string activation;
  std::string optimizer;
  std::string schedule = "constant";  ///< or cosine, inverse_time
  double rate = 0.1, momentum = 0.9, beta1 = 0.9, beta2 = 0.999, alpha = 0.99, epsilon = 0;
  double schedule_steps = 1, end_factor = 0, decay_rate = 1;
  double warmup_steps = 0, warmup_start = 0.1;
  double l1 = 0, l2 = 0, weight_decay = 0, clip_norm = 0, clip_value = 0;
  bool penalizes_bias = false;
};

/// A trainer that shares no code with the product: one thread, double precision, no shards, no tree, one row
/// at a time. A model is a chain of layers x → f(x·W + b), the last without f; linear models have one layer.
class SerialReference {
 public:
  /// W row-major (inputs × outputs) and b (empty: none) of a layer.
  struct Layer {
    std::vector<double> weight, bias;
    std::size_t inputs = 0, outputs = 0;
  };

  SerialReference(ReferenceSettings settings, std::vector<Layer> layers);

  /// One step on these rows. Does nothing if their weights sum to 0. Returns the weighted mean of the loss
  /// before the step.
  double step(const ReferenceRows& data, const std::vector<std::size_t>& rows);
  /// Weighted mean of the loss over all rows.
  double loss(const ReferenceRows& data) const;
  const std::vector<Layer>& layers() const { return layers_; }
  int steps() const { return steps_; }

 private:
  double add_row(const ReferenceRows& data, std::size_t row, std::vector<Layer>& gradient) const;
  double clip_factor(const std::vector<Layer>& gradient) const;
  double current_rate() const;
  void update(std::vector<double>& weights, const std::vector<double>& gradient, std::vector<double>& first,
              std::vector<double>& second, bool is_penalized) const;
  double move(double gradient, double& first, double& second, double* metric) const;

  ReferenceSettings settings_;
  std::vector<Layer> layers_, first_, second_;  // weights and up to two states of the optimizer
  int steps_ = 0;
};

}  // namespace lockstep::testing
