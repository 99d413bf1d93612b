// SPDX-License-Identifier: Apache-2.0
#include "data/stored_labels.h"

#include <cmath>

#include "data/cache_label.h"

namespace lockstep {

StoredLabels::StoredLabels(Kind kind) : kind_(kind), direct_(kDirect, -1.0F) {}

void StoredLabels::set(double number, float label) {
  numbers_[number] = label;
  if (number >= 0 && number < static_cast<double>(kDirect) && number == std::floor(number))
    direct_[static_cast<std::size_t>(number)] = label;
}

float StoredLabels::find_slowly(const char* at, std::uint32_t bytes) const {
  if (kind_ == Kind::kNone) return 0;
  const double label = load_label(at, bytes);
  if (kind_ == Kind::kTarget) return static_cast<float>(label);
  if (std::isnan(label)) return label_code(label) < texts_.size() ? texts_[label_code(label)] : -1.0F;
  const auto found = numbers_.find(label);
  return found == numbers_.end() ? -1.0F : found->second;
}

}  // namespace lockstep
