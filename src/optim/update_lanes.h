// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <array>
#include <tuple>
#include <utility>

#include "lockstep/optim/optimizer.h"

namespace lockstep {

/// Sixteen neighbouring parameters. Ranges are whole numbers of them, and every operation on them is element
/// by element and correctly rounded, so the bits of a parameter do not depend on where the vector was cut.
using Lanes = Eigen::Array<float, 16, 1>;
using LaneMap = Eigen::Map<Lanes, Eigen::Aligned64>;

/// What an update rule proposes: w ← w − rate ∘ direction.
struct Move {
  Lanes direction;
  Lanes rate;
  Lanes metric = rate;  ///< what a lasting gradient of 1 moves w by per step: the proximal map of L1 uses it
};

/// Calls visit(gradient, weight, state…) with writable views of sixteen parameters at a time.
template <int kStates, class Visit>
void walk(const UpdateRange& range, Visit visit) {
  for (Index at = 0; at < range.count; at += Lanes::SizeAtCompileTime)
    [&]<std::size_t... kState>(std::index_sequence<kState...>) {
      visit(LaneMap(range.gradient + at), LaneMap(range.weights + at), LaneMap(range.state[kState] + at)...);
    }
  (std::make_index_sequence<kStates>());
}

/// From the gradient sum to the gradient of the smooth part of the objective:
///   g = clamp(scale · sum, ±clip_value) + l2 · w.
class MeanGradient {
 public:
  MeanGradient(const StepSettings& step, const UpdateRange& range)
      : scale_(static_cast<float>(step.gradient_scale)),
        clip_(static_cast<float>(step.clip_value)),
        l2_(range.is_penalized ? static_cast<float>(step.l2) : 0) {}

  Lanes without_penalty(const LaneMap& sum) const {
    Lanes gradient = sum * scale_;
    if (clip_ > 0) gradient = gradient.max(-clip_).min(clip_);
    return gradient;
  }
  Lanes of(const LaneMap& sum, const Lanes& weight) const {
    Lanes gradient = without_penalty(sum);
    if (l2_ != 0) gradient += l2_ * weight;
    return gradient;
  }

 private:
  float scale_, clip_, l2_;
};

/// What stands behind every rule:
///   w ← w·(1 − η·weight_decay) − rate ∘ direction   (decoupled decay: Loshchilov and Hutter, 2019)
///   w ← sign(w)·max(|w| − metric·l1, 0)             (proximal map of L1 in the metric of the rule; exact 0)
class Shrinkage {
 public:
  Shrinkage(const StepSettings& step, const UpdateRange& range)
      : keep_(range.is_penalized ? static_cast<float>(1 - step.rate * step.weight_decay) : 1),
        l1_(range.is_penalized ? static_cast<float>(step.l1) : 0) {}

  bool has_l1() const { return l1_ > 0; }
  /// `move` is what goes off the weights.
  Lanes apply(const Lanes& weight, const Lanes& move, const Lanes& metric) const {
    const Lanes moved = keep_ * weight - move;
    if (!has_l1()) return moved;
    const Lanes threshold = metric * l1_;
    return moved - moved.min(threshold).max(-threshold);
  }

 private:
  float keep_, l1_;
};

/// One step of a rule in one pass: prepares the gradient, asks `rule(g, w, state…) -> Move`, which updates
/// the state it is given, then moves and shrinks the weights.
template <int kStates, class Rule>
void for_each_lane(const StepSettings& step, const UpdateRange& range, Rule rule) {
  const MeanGradient mean_gradient(step, range);
  const Shrinkage shrinkage(step, range);
  walk<kStates>(range, [&](LaneMap sum, LaneMap weight_view, auto... views) {
    const Lanes weight = weight_view;
    std::array<Lanes, kStates> state{Lanes(views)...};
    const Move move = std::apply(
        [&](auto&... each) { return rule(mean_gradient.of(sum, weight), weight, each...); }, state);
    auto from = state.begin();
    ((views = *from++), ...);
    weight_view = shrinkage.apply(weight, move.rate * move.direction, move.metric);
  });
}

}  // namespace lockstep
