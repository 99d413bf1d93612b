// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace lockstep {

/// Gradients of groups of rows of one batch, or of two batches: g_s the sum over the rows of group s, n_s > 0
/// their weight.
struct NoiseGroups {
  double squares = 0;        ///< Σ ‖g_s‖²/n_s
  double groups = 0;         ///< how many
  double total_squares = 0;  ///< ‖Σ g_s‖²
  double weight = 0;         ///< Σ n_s
  double rows = 0;           ///< in all groups
  double population = 0;     ///< rows they were drawn from, without putting back
  bool can_tell() const { return groups > 1 && weight > 0; }
};

/// What the gradients of rows are around their mean.
struct NoiseMeasurement {
  double gradient_sq = 0;  ///< |G|², of the mean over all rows; may come out below zero
  double variance = 0;     ///< tr Σ, of the gradient of one row
};

/// Unbiased where groups are random draws, with ḡ_s = g_s/n_s and ḡ = Σ g_s/n, n = Σ n_s:
///   tr Σ = (Σ n_s‖ḡ_s‖² − n‖ḡ‖²)/(groups − 1),   |G|² = ‖ḡ‖² − tr Σ/B · (1 − B/N),
/// after McCandlish et al. (2018), with any number of groups of any size, and for the B of N rows that an
/// epoch has not used: of a full batch ‖ḡ‖² is |G|² itself. Of weighted rows tr Σ is that of a row of mean
/// weight. Groups must each be like the whole: consecutive parts of a sorted file have means far apart, which
/// passes for noise, so row i belongs to shard i mod S. A function of its arguments alone.
NoiseMeasurement measure_noise(const NoiseGroups& groups);

/// Follows tr Σ and |G|² over the course of a run. A single measurement of |G|² is often worth nothing, and a
/// ratio of two is biased, so each is smoothed, a ← decay·a + (1 − decay)·x divided by 1 − decay^k, and
/// divided only then.
class SmoothedNoise {
 public:
  static constexpr double kDecay = 0.9;

  void observe(const NoiseMeasurement& sample);

  double count() const { return count_; }
  const NoiseMeasurement& last() const { return last_; }
  NoiseMeasurement smoothed() const;
  /// B_noise = tr Σ/|G|², the batch at which noise and gradient are of one size, of the last measurement and
  /// smoothed. NaN: it cannot be told, for |G|² is not above zero: it is larger than the rows measured show.
  double scale() const;
  double smoothed_scale() const;

  /// What a checkpoint must hold.
  std::vector<double> state() const;
  void restore(const std::vector<double>& state);

 private:
  NoiseMeasurement last_, sum_;
  double weight_ = 0;  ///< 1 − decay^k
  double count_ = 0;   ///< k
};

}  // namespace lockstep
