// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <limits>
#include <utility>

#include "lockstep/optim/optimizer.h"
#include "optim/lanes.h"

namespace lockstep {

/// What an update rule proposes: w ← w − rate ∘ direction.
struct Move {
  Lanes direction;
  Lanes rate;
  Lanes metric = rate;  ///< what a lasting gradient of 1 moves w by per step: the proximal map of L1 uses it
};

/// Calls visit(gradient, weight, state…) with writable views of sixteen parameters at a time.
template <int kStates, class Visit>
void walk(const UpdateRange& range, const Visit& visit) {
  // Copies, which no store to a parameter can change.
  const Index count = range.count;
  float* const gradient = range.gradient;
  float* const weights = range.weights;
  [&]<std::size_t... kState>(std::index_sequence<kState...>) {
    [[maybe_unused]] const std::array<float*, kStates> state{range.state[kState]...};
    for (Index at = 0; at < count; at += Lanes::kCount)
      visit(LaneMap(gradient + at), LaneMap(weights + at), LaneMap(state[kState] + at)...);
  }
  (std::make_index_sequence<kStates>());
}

/// From the gradient sum to the gradient of the smooth part of the objective:
///   g = clamp(scale · sum, ±clip_value) + l2 · w.
class MeanGradient {
 public:
  MeanGradient(const StepSettings& step, const UpdateRange& range)
      : scale_(static_cast<float>(step.gradient_scale)),
        clip_(step.clip_value > 0 ? static_cast<float>(step.clip_value)
                                  : std::numeric_limits<float>::infinity()),
        l2_(range.is_penalized ? static_cast<float>(step.l2) : 0) {}

  /// Whether g is scale · sum.
  bool is_plain() const { return clip_ == std::numeric_limits<float>::infinity() && l2_ == 0; }
  Lanes plain(const Lanes& sum) const { return sum * scale_; }
  Lanes without_penalty(const Lanes& sum) const { return plain(sum).max(-clip_).min(clip_); }
  Lanes of(const Lanes& sum, const Lanes& weight) const { return without_penalty(sum) + l2_ * weight; }

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

  /// Whether only the move goes off.
  bool is_plain() const { return keep_ == 1 && l1_ == 0; }
  /// `move` is what goes off the weights.
  Lanes apply(const Lanes& weight, const Lanes& move, const Lanes& metric) const {
    const Lanes moved = keep_ * weight - move;
    const Lanes threshold = metric * l1_;
    return moved - moved.min(threshold).max(-threshold);
  }

 private:
  float keep_, l1_;
};

/// One step of a rule in one pass: prepares the gradient, asks `rule(g, w, state…) -> Move`, which updates
/// the state it is given, then moves and shrinks the weights. What no option asks for is left out of the
/// loop, which gains a fifth on a slice in the cache.
template <int kStates, class Rule>
void for_each_lane(const StepSettings& step, const UpdateRange& range, const Rule& rule) {
  const MeanGradient mean_gradient(step, range);
  const Shrinkage shrinkage(step, range);
  const auto pass = [&](const auto& gradient_of, const auto& shrink) {
    walk<kStates>(range, [&](LaneMap sum, LaneMap weight_view, auto... views) {
      [&](auto... state) {
        const Lanes weight = weight_view;
        const Move move = rule(gradient_of(sum, weight), weight, state...);
        ((views = state), ...);
        weight_view = shrink(weight, move);
      }(Lanes(views)...);
    });
  };
  if (mean_gradient.is_plain() && shrinkage.is_plain())
    pass([&](const Lanes& sum, const Lanes&) { return mean_gradient.plain(sum); },
         [](const Lanes& weight, const Move& move) { return weight - move.rate * move.direction; });
  else
    pass([&](const Lanes& sum, const Lanes& weight) { return mean_gradient.of(sum, weight); },
         [&](const Lanes& weight, const Move& move) {
           return shrinkage.apply(weight, move.rate * move.direction, move.metric);
         });
}

}  // namespace lockstep
