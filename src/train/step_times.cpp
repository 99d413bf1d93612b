// SPDX-License-Identifier: Apache-2.0
#include "train/step_times.h"

#include <algorithm>
#include <cmath>

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

}  // namespace lockstep
