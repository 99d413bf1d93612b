// SPDX-License-Identifier: Apache-2.0
#include "train/step_times.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lockstep {

namespace {

constexpr double kShortest = 1e-7;
const double kLogStep = std::log(1.01);

}  // namespace

void StepTimes::add(double seconds) {
  const double bin = seconds <= kShortest ? 0 : std::log(seconds / kShortest) / kLogStep;
  ++bins_[static_cast<std::size_t>(std::clamp(bin, 0.0, kBins - 1.0))];
  ++count_;
  total_ += seconds;
}

double StepTimes::percentile_ms(double share) const {
  const auto wanted = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(count_)));
  std::int64_t seen = 0;
  for (int bin = 0; bin < kBins; ++bin) {
    seen += bins_[static_cast<std::size_t>(bin)];
    if (seen >= wanted && seen > 0) return kShortest * std::exp(kLogStep * (bin + 0.5)) * 1e3;
  }
  return 0;
}

std::vector<std::pair<double, std::int64_t>> StepTimes::histogram_ms(int most) const {
  const auto holds_any = [](std::int64_t bin) { return bin > 0; };
  const auto first = std::find_if(bins_.begin(), bins_.end(), holds_any) - bins_.begin();
  const auto last = bins_.rend() - std::find_if(bins_.rbegin(), bins_.rend(), holds_any);
  const auto width = (last - first + most - 1) / most;
  std::vector<std::pair<double, std::int64_t>> result;
  for (auto bin = first; bin < last; bin += width) {
    const auto end = std::min(bin + width, last);
    const auto count = std::accumulate(bins_.begin() + bin, bins_.begin() + end, std::int64_t{0});
    const double middle = static_cast<double>(bin + end) / 2;
    if (count > 0) result.emplace_back(kShortest * std::exp(kLogStep * middle) * 1e3, count);
  }
  return result;
}

}  // namespace lockstep
