// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace lockstep {

/// Times of steps in a histogram with bins 1 % apart, from 0.1 µs to over an hour: any number of steps in
/// fixed memory, percentiles within 1 %.
class StepTimes {
 public:
  void add(double seconds);
  std::int64_t count() const { return count_; }
  double mean_ms() const { return count_ == 0 ? 0 : total_ / static_cast<double>(count_) * 1e3; }
  /// `share` in (0, 1]: 0.95 for p95.
  double percentile_ms(double share) const;
  /// (middle in ms, steps) of the bins that hold any, neighbours joined until there are at most `most`.
  std::vector<std::pair<double, std::int64_t>> histogram_ms(int most) const;

 private:
  static constexpr int kBins = 2600;
  std::array<std::int64_t, kBins> bins_{};
  std::int64_t count_ = 0;
  double total_ = 0;
};

}  // namespace lockstep
