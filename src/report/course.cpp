// SPDX-License-Identifier: Apache-2.0
#include "report/course.h"

#include <cmath>

namespace lockstep {

void Course::widen(Bucket* bucket, const Bucket& later) {
  const bool lower = later.low.value<bucket->low.value, higher = later.high.value> bucket->high.value;
  if (lower && higher)
    bucket->low_is_first = later.low_is_first;
  else if (lower)
    bucket->low_is_first = false;
  else if (higher)
    bucket->low_is_first = true;
  if (lower) bucket->low = later.low;
  if (higher) bucket->high = later.high;
}

void Course::halve() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < buckets_.size(); i += 2) {
    Bucket merged = buckets_[i];
    if (i + 1 < buckets_.size()) widen(&merged, buckets_[i + 1]);
    buckets_[kept++] = merged;
  }
  if (buckets_.size() % 2 == 0) in_last_ += per_bucket_;
  buckets_.resize(kept);
  per_bucket_ *= 2;
}

void Course::add(const CoursePoint& point) {
  ++lines_;
  ends_not_finite_ = !std::isfinite(point.value);
  if (ends_not_finite_) return;
  if (finite_++ == 0) first_ = lowest_ = highest_ = point;
  last_ = point;
  if (point.value < lowest_.value) lowest_ = point;
  if (point.value > highest_.value) highest_ = point;
  if (buckets_.empty() || in_last_ == per_bucket_) {
    if (buckets_.size() == most_) halve();
    if (buckets_.empty() || in_last_ == per_bucket_) {
      buckets_.push_back({point, point, true});
      in_last_ = 1;
      return;
    }
  }
  widen(&buckets_.back(), {point, point, true});
  ++in_last_;
}

std::vector<CoursePoint> Course::points() const {
  std::vector<CoursePoint> points;
  const auto add_once = [&](const CoursePoint& point) {
    if (points.empty() || points.back().step != point.step || points.back().train_s != point.train_s)
      points.push_back(point);
  };
  if (empty()) return points;
  add_once(first_);
  for (const Bucket& bucket : buckets_) {
    add_once(bucket.low_is_first ? bucket.low : bucket.high);
    add_once(bucket.low_is_first ? bucket.high : bucket.low);
  }
  add_once(last_);
  return points;
}

}  // namespace lockstep
