// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lockstep/data/task.h"
#include "model/metric.h"
#include "train/score_histogram.h"

namespace lockstep {

/// What the curves of a data set are made of: whole numbers, which ranks add in any order.
class CurveCounts {
 public:
  static constexpr int kCalibrationBins = 10;
  enum ClassColumn { kHits, kRows, kDecisions, kClassColumns };
  enum CalibrationColumn { kPredicted, kTrue, kWeight, kCalibrationColumns };

  /// `classes`: 0 for a regression.
  CurveCounts(Index classes, bool has_probabilities, const WeightUnits& units);

  void add(const ScoredRows& rows);

  Index classes() const { return classes_; }
  bool has_probabilities() const { return has_probabilities_; }
  bool has_ranking() const { return classes_ == 2; }
  /// All of it, in one piece.
  std::vector<std::int64_t>& counts() { return counts_; }

  double of_class(Index label, ClassColumn column) const {
    return units_.weight(counts_[static_cast<std::size_t>(label * kClassColumns + column)]);
  }
  double calibration(int bin, CalibrationColumn column) const {
    return units_.weight(counts_[calibration_at(bin, column)]);
  }
  /// By bin of the score: of the rows of a class of two, or of the residuals of a regression.
  std::span<const std::int64_t> histogram(int number) const {
    return std::span(counts_).subspan(histogram_at(number), score_bins::kCount);
  }
  double weight(std::int64_t count) const { return units_.weight(count); }

 private:
  void add_class(const ScoredRows& rows, Index row);
  void add_calibration(double predicted, bool is_true, std::int64_t weight);
  std::size_t calibration_at(int bin, CalibrationColumn column) const {
    return static_cast<std::size_t>(classes_ * kClassColumns + bin * kCalibrationColumns + column);
  }
  std::size_t histogram_at(int number) const {
    return calibration_at(kCalibrationBins, kPredicted) +
           static_cast<std::size_t>(number) * score_bins::kCount;
  }

  Index classes_;
  bool has_probabilities_;
  WeightUnits units_;
  std::vector<std::int64_t> counts_;
};

}  // namespace lockstep
