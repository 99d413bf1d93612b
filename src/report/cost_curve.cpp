// SPDX-License-Identifier: Apache-2.0
#include "report/cost_curve.h"

#include <algorithm>
#include <cmath>

#include "report/statistics.h"

namespace lockstep {

CostCurve::CostCurve(std::vector<CostPoint> points) : points_(std::move(points)) {
  if (is_known()) fit();
}

// Relative errors: weights 1/t², and the normal equations of two unknowns.
void CostCurve::fit() {
  double w = 0, wb = 0, wbb = 0, wt = 0, wbt = 0;
  for (const CostPoint& point : points_) {
    const auto batch = static_cast<double>(point.batch);
    const double weight = 1 / (point.seconds * point.seconds);
    w += weight;
    wb += weight * batch;
    wbb += weight * batch * batch;
    wt += weight * point.seconds;
    wbt += weight * batch * point.seconds;
  }
  const double determinant = w * wbb - wb * wb;
  if (points_.size() > 1 && determinant > 0) {
    fixed_s_ = (wt * wbb - wbt * wb) / determinant;
    per_row_s_ = (w * wbt - wb * wt) / determinant;
  }
  if (points_.size() == 1 || fixed_s_ < 0) {
    fixed_s_ = 0;
    per_row_s_ = wbt / wbb;
  } else if (per_row_s_ < 0) {
    fixed_s_ = wt / w;
    per_row_s_ = 0;
  }
}

double CostCurve::at(double batch) const {
  const CostPoint &first = points_.front(), &last = points_.back();
  if (batch <= static_cast<double>(first.batch)) return first.seconds;
  if (batch >= static_cast<double>(last.batch))
    return last.seconds + per_row_s_ * (batch - static_cast<double>(last.batch));
  const auto above = std::find_if(points_.begin(), points_.end(), [&](const CostPoint& point) {
    return static_cast<double>(point.batch) >= batch;
  });
  const CostPoint &low = *(above - 1), &high = *above;
  const double share = std::log(batch / static_cast<double>(low.batch)) /
                       std::log(static_cast<double>(high.batch) / static_cast<double>(low.batch));
  return std::exp((1 - share) * std::log(low.seconds) + share * std::log(high.seconds));
}

double CostCurve::line_error() const {
  std::vector<double> errors;
  for (const CostPoint& point : points_)
    errors.push_back(std::abs(fixed_s_ + per_row_s_ * static_cast<double>(point.batch) - point.seconds) /
                     point.seconds);
  return median(errors);
}

double CostCurve::late_factor() const {
  std::vector<double> factors;
  for (const CostPoint& point : points_) factors.push_back(point.late_seconds / point.seconds);
  return std::max(1.0, median(factors));
}

}  // namespace lockstep
