// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/core/options.h"
#include "lockstep/core/parameter_layout.h"
#include "lockstep/core/registry.h"
#include "lockstep/data/batch.h"
#include "lockstep/model/gradient_sum.h"

namespace [[gnu::visibility("default")]] lockstep {

/// What a model is built for.
struct ModelShape {
  Index features = 0;  ///< D
  Index outputs = 1;   ///< K, scores per row, as the loss wants them
  bool is_sparse = false;
  /// Per feature: 0 for a number, else of how many categories it holds the code, 0 … K − 1; any other value
  /// is an unseen one. Empty: all are numbers.
  std::vector<Index> categories = {};
  Index most_parameters = ParameterLayout::kMostFloats;  ///< what the layout refuses to exceed
};

enum class Pass { kTrain, kEvaluate };

/// Scores from features, and the gradient of the parameters from the gradient of the scores. An instance
/// belongs to one rank, keeps the activations of its last forward() and allocates only when it is built (room
/// for Batch::kMaxRows rows). The bits of a row's scores may depend on this row and the weights alone.
class Model {
 public:
  virtual ~Model() = default;

  virtual const ParameterLayout& layout() const = 0;

  /// Writes all M initial weights, a function of the seed alone.
  virtual void initialize(std::uint64_t seed, float* weights) const = 0;

  /// In how many training rows a feature must occur to have all its weights; 0: the model does not ask. If it
  /// does, leave_out_rare() is told how often each feature occurs (D) and changes the initial weights.
  virtual Index min_count() const { return 0; }
  virtual void leave_out_rare(std::span<const std::uint32_t> /*counts*/, float* /*weights*/) const {}

  /// Writes scores (n × K). With Pass::kTrain dropout is drawn, keyed by (epoch, shard, place).
  virtual void forward(const float* weights, const Batch& batch, Pass pass, Matrix scores) = 0;

  /// Adds to `sums`, once for every tensor, the gradient that `score_gradient` (n × K, row weights included)
  /// gives for the batch of the last forward().
  virtual void backward(const float* weights, const Batch& batch, ConstMatrix score_gradient,
                        GradientSum& sums) = 0;

  /// How many rows of dense features, at most, it likes to get in one training batch, if it has a wish: a
  /// model that only reads its rows twice is fastest where they stay in the first-level cache. Changes no
  /// bits.
  virtual Index rows_at_once() const { return Batch::kMaxRows; }

  /// Whether it knows what to do with ModelShape::categories; others would take codes for quantities.
  virtual bool takes_categories() const { return false; }

  /// The tensor (D × width) that sparse rows touch only where they have entries: the gradient of its row j is
  /// zero unless feature j occurs. −1: none, and gradients are dense. Such a model also works on rows whose
  /// columns were renumbered: made for another D it has the same tensors but for the rows of this one.
  virtual int feature_tensor() const { return -1; }

  /// Multiplications and additions of one row's forward and backward pass, for the estimate at start.
  virtual double flops_per_row() const { return 6.0 * static_cast<double>(layout().logical_size()); }
};

/// One row of src/model/registry.cpp.
struct ModelRow {
  std::string name;
  std::string summary;
  /// The losses this model goes with; the first is the default. "*" among them: all others too.
  std::vector<std::string> losses;
  void (*declare)(OptionTable&) = nullptr;
  std::unique_ptr<Model> (*create)(const Options&, std::uint64_t seed, const ModelShape&) = nullptr;
};

}  // namespace lockstep
