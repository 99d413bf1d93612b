// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/safetensors.h"
#include "lockstep/plugins.h"
#include "optim/lazy_penalty.h"
#include "optim/regularization.h"
#include "reduce/sparse_exchange.h"
#include "train/compact_rows.h"
#include "train/experiment.h"
#include "train/gradient_step.h"
#include "train/update_step.h"

namespace lockstep {

/// Steps that cost what they touch: rows are renumbered to the features they have ("keys"), the model works
/// on the weights of these, ranks exchange sums of these, and an owner updates these. Weights without
/// gradient are left as they are; what penalties would have done to them is made up for (LazyPenalty) when
/// they are next read, so weights() are not those of the model until settled() has seen to it. Without
/// penalties all bits are those of dense steps; with them they are those of any number of ranks and any
/// transport.
///
/// A step is prepare(), GradientStep::run(), reduce(), then update() or skip().
class SparseStep {
 public:
  /// Collective. `batch` is B; `optimizer`, `sampler`, `data` and `model` live as long.
  SparseStep(const Options& options, const Plugins& plugins, Communicator& communicator, const Dataset& data,
             Sampler& sampler, const TrainedModel& model, const Optimizer& optimizer, Index batch);

  /// Who holds the weights: the caller keeps it alive.
  std::unique_ptr<GradientReducer> take_reducer() { return std::move(owned_); }
  /// `state`: of the optimizer, per vector the first float of this rank's slice.
  void use_state(std::vector<float*> state) { state_ = std::move(state); }
  GradientTarget target();

  /// Collective. Before the first step, when the weights are there. `is_under_way`: an update with a rate
  /// above zero was made before.
  void start(bool is_under_way);

  /// Finds the keys of this rank's rows and returns their weights, for GradientStep::run().
  const float* prepare(const BatchWindow& window);
  /// Collective.
  void reduce(const LocalSums& mine, Tail& total);
  /// Collective. `weight` is the row weight of the batch. A gradient that is not finite changes nothing.
  UpdateResult update(double weight, double rate, Index step);
  /// Collective. Ends a step that is not made.
  void skip() { exchange_->publish_nothing(); }

  /// All M weights, made up for: the weights themselves, or `out` (M floats) filled.
  const float* settled(float* out) const;

  /// Writes the sum that reduce() gave to `kept`, zeros and this slice's floats of M, in the place of the one
  /// that lay there before, if any.
  void keep_gradient(AlignedVector<float>& kept);
  /// Collective. The scalar product of that sum and the one reduce() has given since.
  double product_with(const AlignedVector<float>& kept);
  /// `kept` came from a checkpoint.
  void restore_kept(const AlignedVector<float>& kept);

  /// What a checkpoint must hold besides the settled weights. The views are valid until the next call.
  std::vector<TensorView> checkpoint_tensors();
  /// Puts what is to be made up for into `weights` (M) in the place of the settled ones.
  void restore(const TensorFile& checkpoint, float* weights);

  /// Beside the weights and the state.
  std::size_t memory_bytes() const;

 private:
  template <int kWidth>
  void square_keys();
  double share_squares();
  void update_touched(const StepSettings& settings);
  void update_tile(const StepSettings& settings, Index first, Index last);
  void update_all(const StepSettings& settings);
  void update_rest(const StepSettings& settings);
  void scatter_gradient(Index first, Index last, std::size_t& next);
  const Tensor& features() const { return layout_[0]; }

  const ParameterLayout& layout_;
  const Optimizer& optimizer_;
  Regularization regularization_;
  LazyPenalty lazy_;
  bool is_ftrl_;
  bool begins_with_all_ = false;  // the first step that has a rate is made for all weights
  CompactRows rows_;
  std::unique_ptr<SparseExchange> owned_;
  SparseExchange* exchange_;
  std::unique_ptr<Model> model_;  // for as many features as the exchange has room for
  ParameterLayout compact_;       // its layout, with the first tensor as long as the step needs
  Index width_;
  Index rest_begin_;
  Index tile_rows_;
  Slice slice_;
  std::vector<float*> state_;
  Index count_ = 0;  // keys of the step
  SparseExchange::Sums sums_;
  AlignedVector<float> weights_, metric_;  // of the keys; the rest follows the weights
  std::vector<std::uint16_t> ages_;
  AlignedVector<float> tile_;          // weights, then the state vectors, of one tile
  std::vector<float*> tile_state_;     // the state vectors in tile_
  std::vector<float*> part_of_state_;  // of the range an update is made for
  std::vector<double> block_squares_;
  std::vector<float> saved_ages_, saved_window_;
  std::vector<std::uint32_t> kept_keys_;
};

}  // namespace lockstep
