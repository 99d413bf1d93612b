// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lockstep/core/options.h"
#include "lockstep/core/view.h"
#include "lockstep/data/task.h"

namespace [[gnu::visibility("default")]] lockstep {

/// A loss per row, summed by its caller. It has no state, and what it computes for a row depends on that row
/// alone.
class Loss {
 public:
  virtual ~Loss() = default;

  virtual Task task() const = 0;
  /// K, the scores a row needs when the data has `classes` classes (regression: 0). Throws Error(kConfig)
  /// where the loss cannot serve that many.
  virtual Index outputs(Index classes) const = 0;
  /// Throws Error(kData) for a label the loss cannot take (a negative count, say). Called once per row at
  /// load.
  virtual void check_label(float label) const;

  /// For n rows: row_loss[i] = the unweighted loss; gradient(i, k) = weights[i] · ∂loss/∂score(i, k).
  /// scores, gradient: n × K; labels, weights: n. Finite for finite scores up to ±1e4.
  virtual void evaluate(ConstMatrix scores, const float* labels, const float* weights, double* row_loss,
                        Matrix gradient) const = 0;

  /// Whether predict() gives probabilities of classes.
  virtual bool gives_probabilities() const { return task() == Task::kClassification; }

  /// For n rows, what the user is told: the mean of the label given the features (n × 1), or the
  /// probabilities of all classes (n × classes) — for losses that define none (hinge), one-hot of the decided
  /// class.
  virtual void predict(ConstMatrix scores, Index classes, Matrix prediction) const = 0;
};

/// One row of src/model/loss_registry.cpp.
struct LossRow {
  std::string name;
  std::string summary;
  void (*declare)(OptionTable&) = nullptr;
  std::unique_ptr<Loss> (*create)(const Options&) = nullptr;
};

}  // namespace lockstep
