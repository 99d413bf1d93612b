// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep {

/// One value of metrics.jsonl and where it stands.
struct CoursePoint {
  double step = 0, epoch = 0, rows = 0, train_s = 0;
  double value = 0;
};

/// The course of one value over a run, however many lines it has, in fixed memory: lines that follow each
/// other share a bucket, of which the lowest and the highest point are kept as they are; where buckets run
/// out, each two neighbours become one. So every extreme and every peak survives, and every point is one of
/// the file. Values that are not finite are counted and left out.
class Course {
 public:
  static constexpr std::size_t kBuckets = 200;

  explicit Course(std::size_t buckets = kBuckets) : most_(buckets) {}

  void add(const CoursePoint& point);

  /// In order: the first, the extremes of every bucket, the last. At most 2·buckets + 2.
  std::vector<CoursePoint> points() const;
  bool empty() const { return finite_ == 0; }
  std::int64_t finite() const { return finite_; }
  std::int64_t not_finite() const { return lines_ - finite_; }
  /// Whether the last line of all held no finite value.
  bool ends_not_finite() const { return ends_not_finite_; }
  const CoursePoint& first() const { return first_; }
  const CoursePoint& last() const { return last_; }
  const CoursePoint& lowest() const { return lowest_; }
  const CoursePoint& highest() const { return highest_; }

 private:
  struct Bucket {
    CoursePoint low, high;
    bool low_is_first = true;
  };
  static void widen(Bucket* bucket, const Bucket& later);
  void halve();

  std::size_t most_;
  std::vector<Bucket> buckets_;
  std::int64_t per_bucket_ = 1, in_last_ = 0;
  std::int64_t finite_ = 0, lines_ = 0;
  bool ends_not_finite_ = false;
  CoursePoint first_, last_, lowest_, highest_;
};

}  // namespace lockstep
