// SPDX-License-Identifier: Apache-2.0
#include "report/axis_scale.h"

#include <algorithm>
#include <cmath>

namespace lockstep {

AxisScale::AxisScale(double low, double high, bool is_log, double from, double to)
    : low_(low), high_(high), is_log_(is_log), from_(from), to_(to) {}

double AxisScale::at(double value) const {
  double share = 0;
  if (is_log_)
    share = value > 0 ? std::log(value / low_) / std::log(high_ / low_) : -3;
  else
    share = (value - low_) / (high_ - low_);
  return from_ + std::clamp(share, -3.0, 3.0) * (to_ - from_);
}

double round_step(double range, int wanted) {
  const double raw = range / std::max(1, wanted);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= raw * 0.999) return factor * power;
  return 10 * power;
}

std::vector<double> AxisScale::even_ticks(int wanted) const {
  const double step = round_step(high_ - low_, wanted);
  std::vector<double> ticks;
  for (double i = std::ceil(low_ / step - 1e-9); i * step <= high_ + 1e-9 * step; ++i)
    ticks.push_back(i * step + 0.0);  // never -0
  return ticks;
}

std::vector<double> AxisScale::log_ticks(int wanted) const {
  const double decades = std::log10(high_ / low_);
  if (decades < 0.7) return even_ticks(wanted);
  const bool has_room = 3 * decades <= wanted + 2;
  const int stride = std::max(1, static_cast<int>(std::ceil(decades / wanted)));
  std::vector<double> ticks;
  for (int power = static_cast<int>(std::floor(std::log10(low_))); power <= std::log10(high_) + 1; ++power) {
    if (power % stride != 0) continue;
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick = factor * std::pow(10, power);
      if ((factor == 1 || has_room) && tick >= low_ * (1 - 1e-9) && tick <= high_ * (1 + 1e-9))
        ticks.push_back(tick);
    }
  }
  return ticks;
}

std::vector<double> AxisScale::ticks(int wanted) const {
  return is_log_ ? log_ticks(wanted) : even_ticks(wanted);
}

AxisEnds axis_ends(double low, double high, bool is_log, bool round) {
  if (!(low <= high) || !std::isfinite(low) || !std::isfinite(high))
    return {is_log ? 1.0 : 0.0, is_log ? 10.0 : 1.0};
  if (is_log) {
    low = std::max(low, 1e-300);
    high = std::max(high, low);
    const double pad = std::max(1.08, std::pow(high / low, 0.04));
    return {low / pad, high * pad};
  }
  if (low == high) {
    if (low > 0) return {0, 1.5 * low};
    return {1.5 * low, low == 0 ? 1.0 : 0.0};
  }
  if (!round) return {low, high};
  const double step = round_step(high - low, 5);
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step};
}

}  // namespace lockstep
