// SPDX-License-Identifier: Apache-2.0
#include "model/metric.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "lockstep/core/error.h"
#include "model/class_scores.h"

namespace lockstep {

namespace {

enum ClassColumn { kHits, kRows, kDecisions, kColumns };

// The row that orders the classes: its scores, or its prediction where two classes share one score.
ConstMatrix ranking(const ScoredRows& rows, Index classes) {
  return rows.scores.cols == classes ? rows.scores : rows.predictions;
}

// Place of `label` among the classes, best first; of equals the first class is better.
Index place_of(const float* values, Index classes, Index label) {
  Index place = 0;
  for (Index k = 0; k < classes; ++k)
    if (values[k] > values[label] || (values[k] == values[label] && k < label)) ++place;
  return place;
}

double ratio(double part, double whole) {
  return whole == 0.0 ? 0.0 : part / whole;
}

}  // namespace

RankedRow ranked_row(const ScoredRows& rows, Index row) {
  const float* scores = rows.scores.row(row);
  const float weight = rows.weights[row];
  return {rows.scores.cols == 1 ? scores[0] : scores[1] - scores[0],
          rows.labels[row] == 1 ? weight : -weight};
}

MetricSums::MetricSums(const MetricShape& shape) : shape_(shape) {
  if (shape.task == Task::kRegression) shape_.classes = 0;
  shape_.has_auc = shape_.has_auc && shape_.classes == 2;
  const Index confusion = has_confusion() ? shape_.classes * shape_.classes : 0;
  sums_.resize(static_cast<std::size_t>(kCount + kColumns * shape_.classes + confusion));
}

void MetricSums::clear() {
  std::fill(sums_.begin(), sums_.end(), 0.0);
  ranking_.clear();
  area_.reset();
}

bool MetricSums::has_confusion() const {
  return shape_.classes > 0 && shape_.classes <= kMostConfusionClasses;
}

double& MetricSums::of_class(Index label, int column) {
  return sums_[static_cast<std::size_t>(kCount + label * kColumns + column)];
}
double MetricSums::of_class(Index label, int column) const {
  return sums_[static_cast<std::size_t>(kCount + label * kColumns + column)];
}

double MetricSums::confusion(Index label, Index decision) const {
  LOCKSTEP_CHECK(has_confusion());
  return sums_[static_cast<std::size_t>(kCount + (kColumns + label) * shape_.classes + decision)];
}

void MetricSums::add(const ScoredRows& rows) {
  for (Index row = 0; row < rows.scores.rows; ++row) {
    const double weight = rows.weights[row];
    if (weight == 0.0) continue;
    sums_[kWeight] += weight;
    sums_[kLoss] += weight * rows.row_loss[row];
    if (shape_.task == Task::kClassification)
      add_class(rows, row, weight);
    else
      add_value(rows, row, weight);
  }
}

void MetricSums::add_class(const ScoredRows& rows, Index row, double weight) {
  const auto label = static_cast<Index>(rows.labels[row]);
  LOCKSTEP_CHECK(label >= 0 && label < shape_.classes);
  const float* values = ranking(rows, shape_.classes).row(row);
  const Index decision = decided_class(values, shape_.classes);
  if (decision == label) sums_[kCorrect] += weight;
  if (shape_.classes > shape_.top && place_of(values, shape_.classes, label) < shape_.top)
    sums_[kTop] += weight;
  if (shape_.has_probabilities)
    sums_[kLogLoss] -= weight * std::log(std::max(static_cast<double>(rows.predictions.row(row)[label]),
                                                  static_cast<double>(FLT_MIN)));
  if (decision == label) of_class(label, kHits) += weight;
  of_class(label, kRows) += weight;
  of_class(decision, kDecisions) += weight;
  if (has_confusion())
    sums_[static_cast<std::size_t>(kCount + (kColumns + label) * shape_.classes + decision)] += weight;
  if (shape_.has_auc) ranking_.add(ranked_row(rows, row));
}

void MetricSums::add_value(const ScoredRows& rows, Index row, double weight) {
  const double label = rows.labels[row];
  const double error = rows.predictions.row(row)[0] - label;
  sums_[kSquared] += weight * error * error;
  sums_[kAbsolute] += weight * std::abs(error);
  const double distance = label - sums_[kLabelMean];
  sums_[kLabelMean] += distance * weight / sums_[kWeight];
  sums_[kLabelM2] += weight * distance * (label - sums_[kLabelMean]);
}

void MetricSums::merge_fixed(const double* other) {
  const double left = sums_[kWeight], right = other[kWeight], all = left + right;
  if (right == 0.0) return;
  const double mean = sums_[kLabelMean], distance = other[kLabelMean] - mean;
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += other[i];
  sums_[kLabelMean] = mean + distance * right / all;
  sums_[kLabelM2] += distance * distance * left * right / all;
}

void MetricSums::merge(const MetricSums& other) {
  LOCKSTEP_CHECK_EQ(sums_.size(), other.sums_.size());
  merge_fixed(other.sums_.data());
  ranking_.merge(other.ranking_);
}

std::size_t MetricSums::byte_size() const {
  return sums_.size() * sizeof(double) + ranking_.byte_size();
}

void MetricSums::append_bytes(std::vector<std::byte>& out) const {
  const auto fixed = std::as_bytes(std::span(sums_));
  out.insert(out.end(), fixed.begin(), fixed.end());
  ranking_.append_bytes(out);
}

void MetricSums::merge_bytes(std::span<const std::byte> bytes) {
  const std::size_t fixed = sums_.size() * sizeof(double);
  LOCKSTEP_CHECK_LE(fixed, bytes.size());
  std::vector<double> other(sums_.size());
  std::memcpy(other.data(), bytes.data(), fixed);
  merge_fixed(other.data());
  ranking_.merge_bytes(bytes.subspan(fixed));
}

std::map<std::string, double> MetricSums::values() {
  const double weight = sums_[kWeight];  // without rows the quotients below are 0/0
  std::map<std::string, double> values{{"loss", sums_[kLoss] / weight}};
  if (shape_.task == Task::kRegression) {
    values["rmse"] = std::sqrt(sums_[kSquared] / weight);
    values["mae"] = sums_[kAbsolute] / weight;
    values["r2"] = sums_[kLabelM2] > 0.0 ? 1.0 - sums_[kSquared] / sums_[kLabelM2] : std::nan("");
    return values;
  }
  values["accuracy"] = sums_[kCorrect] / weight;
  if (shape_.classes > shape_.top) values["top_" + std::to_string(shape_.top)] = sums_[kTop] / weight;
  if (shape_.has_probabilities) values["log_loss"] = sums_[kLogLoss] / weight;
  if (shape_.has_auc || area_) {
    const Ranking::Area area = area_ ? *area_ : ranking_.area();
    values["auc"] = area.value;
    if (!area.is_exact) values["auc_error"] = area.error;
  }
  add_classes_to(values);
  return values;
}

void MetricSums::add_classes_to(std::map<std::string, double>& values) const {
  double precision = 0.0, recall = 0.0, f1 = 0.0, count = 0.0;
  for (Index k = shape_.classes == 2 ? 1 : 0; k < shape_.classes; ++k) {
    const double hits = of_class(k, kHits), rows = of_class(k, kRows), decisions = of_class(k, kDecisions);
    if (shape_.classes > 2 && rows == 0.0 && decisions == 0.0) continue;
    precision += ratio(hits, decisions);
    recall += ratio(hits, rows);
    f1 += ratio(2.0 * hits, rows + decisions);
    count += 1.0;
  }
  if (sums_[kWeight] == 0.0) count = precision = recall = f1 = 0.0;  // undefined
  values["precision"] = precision / count;
  values["recall"] = recall / count;
  values["f1"] = f1 / count;
}

double MetricSums::baseline(const MetricSums& train) const {
  LOCKSTEP_CHECK_EQ(sums_.size(), train.sums_.size());
  if (shape_.task == Task::kRegression) {
    const double distance = sums_[kLabelMean] - train.sums_[kLabelMean];
    return std::sqrt(sums_[kLabelM2] / sums_[kWeight] + distance * distance);
  }
  Index largest = 0;
  for (Index k = 1; k < shape_.classes; ++k)
    if (train.of_class(k, kRows) > train.of_class(largest, kRows)) largest = k;
  return of_class(largest, kRows) / sums_[kWeight];
}

}  // namespace lockstep
