// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "lockstep/core/options.h"
#include "lockstep/model/loss.h"
#include "lockstep/model/model.h"
#include "model/loss_registry.h"
#include "model/registry.h"
#include "model/sparse_copy.h"

namespace lockstep::testing {

/// Random rows with labels and weights, in four shards of which one is absent; row 2 has no entry, row 3 no
/// weight.
class Problem {
 public:
  Problem(Index rows, Index features, Index classes, unsigned seed)
      : classes_(classes),
        cols_(features),
        labels_(static_cast<std::size_t>(rows)),
        weights_(labels_.size()) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    x_.resize(static_cast<std::size_t>(rows * features));
    for (float& x : x_) x = random() % 3 == 0 ? 0.0F : normal(random);
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      labels_[i] = classes > 0 ? static_cast<float>(random() % static_cast<unsigned>(classes))
                               : static_cast<float>(random() % 5) + 0.25F;
      weights_[i] = 0.5F + static_cast<float>(random() % 4);
    }
    if (rows > 3) {
      std::fill_n(x_.begin() + 2 * features, features, 0.0F);
      weights_[3] = 0.0F;
    }
    segments_ = {{0, 0, rows / 3, 0, true}, {2, rows / 3, rows / 2, 0, true}, {3, rows / 2, rows, 0, true}};
    if (rows < 3) segments_ = {{0, 0, rows, 0, true}};
    sparse_ = std::make_unique<SparseCopy>(dense());
  }

  ConstMatrix dense() const { return {x_.data(), rows(), cols_, cols_}; }
  Index rows() const { return static_cast<Index>(labels_.size()); }
  Index classes() const { return classes_; }
  const std::vector<float>& labels() const { return labels_; }
  const std::vector<float>& weights() const { return weights_; }
  const std::vector<Segment>& segments() const { return segments_; }

  Batch batch(bool is_sparse) const {
    Batch batch;
    batch.features = is_sparse ? sparse_->features() : Features{false, dense(), {}};
    batch.labels = labels_.data();
    batch.weights = weights_.data();
    batch.segments = segments_;
    batch.epoch = 3;
    return batch;
  }

 private:
  Index classes_, cols_;
  std::vector<float> x_, labels_, weights_;
  std::vector<Segment> segments_;
  std::unique_ptr<SparseCopy> sparse_;
};

/// Options with all models and losses declared.
inline Options model_options() {
  OptionTable table;
  model_registry().declare(table);
  loss_registry().declare(table);
  return Options(table);
}

inline std::unique_ptr<Loss> make_loss(const std::string& name, const Options& options = model_options()) {
  return loss_registry().find(name).create(options);
}

inline std::unique_ptr<Model> make_model(const std::string& name, const ModelShape& shape,
                                         const Options& options = model_options()) {
  return model_registry().find(name).create(options, 11, shape);
}

/// Small random weights for all tensors, biases too; zero in the gaps.
inline AlignedVector<float> random_weights(const ParameterLayout& layout, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 0.5F);
  AlignedVector<float> weights(static_cast<std::size_t>(layout.size()), 0.0F);
  for (const Tensor& tensor : layout.tensors())
    for (Index i = 0; i < tensor.size; ++i)
      weights[static_cast<std::size_t>(tensor.offset + i)] = normal(random);
  return weights;
}

inline std::vector<float> scores_of(Model& model, const float* weights, const Batch& batch, Index outputs,
                                    Pass pass) {
  std::vector<float> scores(static_cast<std::size_t>(batch.rows() * outputs));
  model.forward(weights, batch, pass, {scores.data(), batch.rows(), outputs, outputs});
  return scores;
}

/// The gradient of the weighted loss sum after a forward pass in training.
inline std::vector<float> gradient_of(Model& model, const Loss& loss, const float* weights,
                                      const Batch& batch, Index outputs) {
  const Index rows = batch.rows();
  const auto scores = scores_of(model, weights, batch, outputs, Pass::kTrain);
  std::vector<float> slopes(scores.size());
  std::vector<double> row_loss(static_cast<std::size_t>(rows));
  loss.evaluate({scores.data(), rows, outputs, outputs}, batch.labels, batch.weights, row_loss.data(),
                {slopes.data(), rows, outputs, outputs});
  const TreeNode hosted{0, 4};
  const auto size = static_cast<std::size_t>(model.layout().size());
  std::vector<AlignedVector<float>> memory(static_cast<std::size_t>(GradientSum::buffers_needed(hosted)),
                                           AlignedVector<float>(size, 0.0F));
  std::vector<float*> buffers;
  for (auto& buffer : memory) buffers.push_back(buffer.data());
  GradientSum sums(model.layout(), buffers);
  sums.begin_step(hosted);
  sums.begin_batch(batch.segments);
  model.backward(weights, batch, {slopes.data(), rows, outputs, outputs}, sums);
  const auto nodes = sums.finish_step();
  std::vector<float> gradient(size, 0.0F);
  for (std::size_t node = 0; node < nodes.size(); ++node)
    for (std::size_t i = 0; i < size; ++i) gradient[i] += memory[node][i];
  return gradient;
}

}  // namespace lockstep::testing
