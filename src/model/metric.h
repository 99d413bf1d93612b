// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lockstep/core/view.h"
#include "lockstep/model/loss.h"
#include "model/ranking.h"

namespace lockstep {

/// What metrics are computed of.
struct MetricShape {
  Task task = Task::kRegression;
  Index classes = 0;
  bool has_probabilities = false;  ///< Loss::gives_probabilities()
  Index top = 5;                   ///< "top_5" is reported if there are more classes
  bool has_auc = true;             ///< with two classes; keeps 8 bytes a row, 16 MB at most
};

/// Some rows as the metrics see them. Predictions are those of Loss::predict().
struct ScoredRows {
  ConstMatrix scores;
  ConstMatrix predictions;
  const float* labels = nullptr;
  const float* weights = nullptr;
  const double* row_loss = nullptr;
};

/// A row of two classes, of weight above 0, as Ranking sees it.
RankedRow ranked_row(const ScoredRows& rows, Index row);

/// Sums from which every metric follows exactly, however the rows were spread: shards and ranks merge sums,
/// never means. Rows of weight 0 are not looked at. Merged in shard order, values do not depend on the number
/// of ranks to the last bit.
class MetricSums {
 public:
  static constexpr Index kMostConfusionClasses = 100;

  explicit MetricSums(const MetricShape& shape);

  void clear();
  void add(const ScoredRows& rows);
  void merge(const MetricSums& other);

  /// All of it as bytes, and the merge of such bytes: what ranks send each other. bytes() appends.
  void append_bytes(std::vector<std::byte>& out) const;
  std::size_t byte_size() const;
  void merge_bytes(std::span<const std::byte> bytes);

  /// Metrics by name; NaN where one is undefined (no row, or AUC of a single class).
  /// All: loss. Classification: accuracy, top_<k>, precision, recall, f1 (of class 1 for two classes, else
  /// the plain mean over the classes that occur), log_loss (if there are probabilities; none counts as less
  /// than FLT_MIN), auc (two classes; with auc_error where it is not exact, see Ranking). Regression, of
  /// predictions: rmse, mae, r2.
  std::map<std::string, double> values();
  /// The ranking of rows that were not added here, for shapes without has_auc.
  void set_area(const Ranking::Area& area) { area_ = area; }

  double weight() const { return sums_[kWeight]; }
  Index classes() const { return shape_.classes; }
  /// Weight of rows of class `label` decided for class `decision`. Kept up to kMostConfusionClasses.
  double confusion(Index label, Index decision) const;
  bool has_confusion() const;

  /// What predicting the same for all rows gives: the accuracy of the largest class of `train`, or the root
  /// mean squared error of its mean label.
  double baseline(const MetricSums& train) const;

 private:
  // Label mean and the sum of squared distances from it (m2) follow Chan, Golub and LeVeque (1983).
  enum Sum { kWeight, kLoss, kCorrect, kTop, kLogLoss, kSquared, kAbsolute, kLabelMean, kLabelM2, kCount };

  void add_class(const ScoredRows& rows, Index row, double weight);
  void add_value(const ScoredRows& rows, Index row, double weight);
  void add_classes_to(std::map<std::string, double>& values) const;
  void merge_fixed(const double* other);
  double& of_class(Index label, int column);
  double of_class(Index label, int column) const;

  MetricShape shape_;
  // Sum, then per class the weights of (hits, rows, decisions), then the confusion matrix.
  std::vector<double> sums_;
  Ranking ranking_;
  std::optional<Ranking::Area> area_;  // instead of that of ranking_
};

}  // namespace lockstep
