// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/data/format.h"

namespace lockstep {

/// Rows that need no file, a pure function of (seed, row number): "demo:logistic?rows=5000000&features=28".
/// Features called normal are sums of four uniform numbers, so they never leave ±3.47.
///
/// - linear: y = x·w + noise · e, with x and e normal, |w| = 1: the best RMSE is `noise`, R² 1 / (1 +
/// noise²).
/// - logistic: class x·w > 0, x normal. sparse: the same with `nonzeros` entries per row, frequent and rare
///   columns.
/// - fm: rows as of sparse (2 non-zeros), scores x·w + Σ_{i<j} ⟨v_i, v_j⟩ x_i x_j with `factors` random
/// numbers
///   v_j per feature, of variance about 1, three quarters of it by interactions, which no linear model can
///   fit. y = score + noise · e, so the best RMSE is `noise`; with classes=2 class score > 0.
/// - blobs: class k around a corner ±4 of a cube. spirals: arms in the plane that do not touch; further
///   features are noise.
///
/// In classification sets a share `noise` of the labels is replaced by another class, so the best
/// possible accuracy is exactly 1 − noise. `part=valid` and `part=test` give other rows of the same truth.
class DemoFormat final : public Format {
 public:
  explicit DemoFormat(const Options&) {}
  void read(const std::string& source, RowSink& sink) const override;
  static bool matches(std::string_view source, std::string_view head);
};

}  // namespace lockstep
