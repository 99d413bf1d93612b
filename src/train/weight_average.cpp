// SPDX-License-Identifier: Apache-2.0
#include "train/weight_average.h"

#include <algorithm>

#include "core/duration.h"

namespace lockstep {

WeightAverage::WeightAverage(const Options& options, Index steps_per_epoch, const Slice& slice)
    : decay_(options.real("train.average_decay")),
      start_(parse_length(options.text("train.average_start"), steps_per_epoch, "train.average_start")),
      slice_(slice) {
  const std::string& kind = options.text("train.average");
  kind_ = kind == "ema" ? Kind::kEma : kind == "polyak" ? Kind::kPolyak : Kind::kNone;
  if (exists()) values_.assign(static_cast<std::size_t>(slice.end - slice.begin), 0.0F);
}

bool WeightAverage::begin_step(Index step) {
  if (!exists() || step + ahead_ <= start_) return false;
  ++count_;
  const double share = count_ == 1           ? 1.0
                       : kind_ == Kind::kEma ? 1.0 - decay_
                                             : 1.0 / static_cast<double>(count_);
  share_ = static_cast<float>(share);
  return true;
}

void WeightAverage::add(const float* weights, Index begin, Index count) {
  const float* const newest = weights + begin;
  float* const average = values_.data() + (begin - slice_.begin);
#pragma GCC ivdep
  for (Index i = 0; i < count; ++i) average[i] += share_ * (newest[i] - average[i]);
}

// There may be those of a checkpoint that turned out to be damaged, and 1.0 times the distance to them is
// not always the whole way.
void WeightAverage::restore(Index count) {
  count_ = count;
  if (count == 0) std::fill(values_.begin(), values_.end(), 0.0F);
}

void WeightAverage::collect(GradientReducer& reducer, float* whole) const {
  std::copy(values_.begin(), values_.end(), whole + slice_.begin);
  reducer.publish(whole);
}

}  // namespace lockstep
