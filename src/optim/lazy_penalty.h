// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/aligned.h"
#include "lockstep/core/options.h"
#include "lockstep/optim/optimizer.h"
#include "optim/regularization.h"

namespace lockstep {

/// What penalties do to a weight in steps that have no gradient for it, made up for when the weight is next
/// needed. Such a step maps |w| to max(keep·|w| − metric·threshold, 0), so steps a … b together map it to
///   max(P_b/P_a·|w| − metric·P_b·(L_b − L_a), 0),   P_t = Π keep,   L_t = Σ threshold/P
/// (Langford, Li and Zhang, 2009, and Shalev-Shwartz and Tewari, 2011, for the two penalties alone), with
/// keep = 1 − η·(l2 + weight_decay) and threshold = η·l1, metric 1 for sgd and 1/(√s + ε) for adagrad, whose
/// s stands still meanwhile. With l2 it does not, since adagrad's g has l2·w in it: no closed form is known,
/// and the steps left out are made one by one. ftrl's weights stay where they are (l1 and l2 are in its
/// rule). A closed form rounds once where single steps round each time, so bits differ from the dense run's.
///
/// Steps are counted in a window: an "age" is the number of the step of the window after which a weight was
/// last made up. When the window is full the caller makes up for all weights and starts a new one.
class LazyPenalty {
 public:
  /// Why this optimizer cannot leave weights for later; "" if it can.
  static std::string why_not(const Options& options);

  LazyPenalty(const Options& options, const Optimizer& optimizer, bool is_penalized);

  /// Whether any weight has something to make up for.
  bool is_needed() const { return kind_ != Kind::kNone; }
  /// Whether catch_up() needs the first state vector.
  bool needs_state() const { return has_metric_ || kind_ == Kind::kReplayed; }

  /// Whether the next step must be made for all weights, also those without gradient, and close the window:
  /// it is full, or the next step has no place in it.
  bool must_close(const StepSettings& next) const;
  void add(const StepSettings& step);
  void close();
  /// Steps in the window: the age of a weight that is up to date.
  int age() const { return static_cast<int>(products_.size()) - 1; }

  /// Makes up for `rows` × `width` weights, contiguous, 64-byte aligned and padded to 16; row i has the age
  /// ages[i]. state: the same of the first state vector, or null. Padding is zero and stays so.
  void catch_up(Index rows, Index width, const std::uint16_t* ages, float* weights, float* state) const;

  /// The window as numbers, for checkpoints. restore() throws Error(kData) for what cannot be one.
  std::vector<double> window() const;
  void restore(const std::vector<double>& window);

 private:
  enum class Kind { kNone, kClosedForm, kReplayed };
  struct Single {
    double keep = 1, threshold = 0;
  };

  Single single(const StepSettings& step) const;
  float caught_up(float weight, double metric, std::size_t age) const;
  void replay(Index rows, Index width, const std::uint16_t* ages, float* weights, float* state) const;

  const Optimizer& optimizer_;
  Kind kind_ = Kind::kNone;
  bool has_metric_ = false;
  float epsilon_ = 0;
  double lr_decay_ = 0;
  double l1_ = 0, l2_ = 0, weight_decay_ = 0;
  int most_steps_;
  std::vector<double> products_, inverses_, sums_;  ///< P, 1/P, L after 0, 1, … steps
  std::vector<double> rates_, numbers_;             ///< of the steps, to make them again
};

}  // namespace lockstep
