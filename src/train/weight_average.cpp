// SPDX-License-Identifier: Apache-2.0
#include "train/weight_average.h"

#include <algorithm>

#include "core/duration.h"

namespace lockstep {

WeightAverage::WeightAverage(const Options& options, Index steps_per_epoch, Index size)
    : decay_(options.real("train.average_decay")),
      start_(parse_length(options.text("train.average_start"), steps_per_epoch, "train.average_start")) {
  const std::string& kind = options.text("train.average");
  kind_ = kind == "ema" ? Kind::kEma : kind == "polyak" ? Kind::kPolyak : Kind::kNone;
  if (exists()) values_.assign(static_cast<std::size_t>(size), 0.0F);
}

void WeightAverage::add(const float* weights, Index step, const Slice& slice) {
  if (!exists() || step <= start_) return;
  ++count_;
  const double share = count_ == 1           ? 1.0
                       : kind_ == Kind::kEma ? 1.0 - decay_
                                             : 1.0 / static_cast<double>(count_);
  const auto factor = static_cast<float>(share);
  for (Index i = slice.begin; i < slice.end; ++i) {
    float& average = values_[static_cast<std::size_t>(i)];
    average += factor * (weights[i] - average);
  }
}

const float* WeightAverage::collect(GradientReducer& reducer) {
  reducer.publish(values_.data());
  return values_.data();
}

}  // namespace lockstep
