// SPDX-License-Identifier: Apache-2.0
#include "train/curve_counts.h"

#include <algorithm>
#include <cmath>

#include "model/class_scores.h"

namespace lockstep {

CurveCounts::CurveCounts(Index classes, bool has_probabilities, const WeightUnits& units)
    : classes_(classes), has_probabilities_(has_probabilities), units_(units) {
  const int histograms = classes == 0 ? 1 : has_ranking() ? 2 : 0;
  counts_.resize(histogram_at(histograms));
}

void CurveCounts::add(const ScoredRows& rows) {
  for (Index row = 0; row < rows.scores.rows; ++row) {
    if (rows.weights[row] == 0) continue;
    if (classes_ > 0) {
      add_class(rows, row);
      continue;
    }
    const float residual = rows.predictions.row(row)[0] - rows.labels[row];
    if (!std::isfinite(residual)) continue;
    counts_[histogram_at(0) + static_cast<std::size_t>(score_bins::bin_of(residual))] +=
        units_.of(rows.weights[row]);
  }
}

void CurveCounts::add_class(const ScoredRows& rows, Index row) {
  const auto label = static_cast<Index>(rows.labels[row]);
  const std::int64_t weight = units_.of(rows.weights[row]);
  const float *scores = rows.scores.row(row), *predictions = rows.predictions.row(row);
  const Index decided = decided_class(scores, rows.scores.cols);
  const auto count = [&](Index of, ClassColumn column) {
    counts_[static_cast<std::size_t>(of * kClassColumns + column)] += weight;
  };
  count(label, kRows);
  count(decided, kDecisions);
  if (label == decided) count(label, kHits);
  if (has_ranking()) {
    const float score = rows.scores.cols == 1 ? scores[0] : scores[1] - scores[0];
    counts_[histogram_at(label == 1 ? 1 : 0) + static_cast<std::size_t>(score_bins::bin_of(score))] += weight;
  }
  if (!has_probabilities_) return;
  const Index told = has_ranking() ? 1 : decided;
  add_calibration(predictions[told], label == told, weight);
}

void CurveCounts::add_calibration(double predicted, bool is_true, std::int64_t weight) {
  if (!(predicted >= 0 && predicted <= 1)) return;
  const int bin = std::min(static_cast<int>(predicted * kCalibrationBins), kCalibrationBins - 1);
  counts_[calibration_at(bin, kPredicted)] += std::llround(predicted * static_cast<double>(weight));
  if (is_true) counts_[calibration_at(bin, kTrue)] += weight;
  counts_[calibration_at(bin, kWeight)] += weight;
}

}  // namespace lockstep
