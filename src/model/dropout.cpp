// SPDX-License-Identifier: Apache-2.0
#include "model/dropout.h"

#include <array>
#include <cmath>

#include "core/philox.h"
#include "model/lanes.h"

namespace lockstep {

Dropout::Dropout(double rate, std::uint64_t seed)
    : threshold_(static_cast<std::uint32_t>(std::lround(rate * 65536.0))),
      scale_(65536.0F / static_cast<float>(65536U - threshold_)),
      seed_(seed) {}

void Dropout::apply(const Key& key, Matrix values, float* derivatives) const {
  if (threshold_ == 0) return;
  const Philox random(seed_, Purpose::kDropout, static_cast<std::uint32_t>(key.epoch),
                      static_cast<std::uint32_t>(key.shard));
  const Index chunks = (values.cols + kLanes - 1) / kLanes;
  std::array<std::uint32_t, 8> bits;
  Lanes mask;
  for (Index row = 0; row < values.rows; ++row)
    for (Index chunk = 0; chunk < chunks; ++chunk) {
      const auto draw = static_cast<std::uint64_t>((key.first_place + row) * chunks + chunk) * 2;
      const std::uint64_t index = static_cast<std::uint64_t>(key.layer) << 48 | draw;
      const auto low = random.words(index), high = random.words(index + 1);
      for (std::size_t i = 0; i < 4; ++i) bits[i] = low[i], bits[4 + i] = high[i];
      for (int i = 0; i < 8; ++i) {
        mask[i] = (bits[static_cast<std::size_t>(i)] & 0xFFFFU) < threshold_ ? 0.0F : scale_;
        mask[8 + i] = (bits[static_cast<std::size_t>(i)] >> 16) < threshold_ ? 0.0F : scale_;
      }
      const Index at = row * values.stride + chunk * kLanes;
      Eigen::Map<Lanes, Eigen::Aligned64>(values.data + at) *= mask;
      if (derivatives != nullptr) Eigen::Map<Lanes, Eigen::Aligned64>(derivatives + at) *= mask;
    }
}

}  // namespace lockstep
