// SPDX-License-Identifier: Apache-2.0
#include "data/row_filter.h"

#include "core/philox.h"

namespace lockstep {

RowFilter::RowFilter(std::uint64_t seed, double valid_share)
    : kind_(Kind::kShare), seed_(seed), share_(valid_share) {}

RowFilter::RowFilter(std::uint64_t seed, FoldPlan plan)
    : kind_(plan.folds > 0 ? Kind::kFold : Kind::kNone), seed_(seed), plan_(plan) {}

bool RowFilter::is_valid(Index file_row) const {
  if (kind_ == Kind::kNone) return false;
  const Philox random(seed_, Purpose::kSplit, kind_ == Kind::kFold ? 1 : 0);
  const auto row = static_cast<std::uint64_t>(file_row);
  if (kind_ == Kind::kShare) return static_cast<double>(random.bits(row) >> 11) * 0x1p-53 < share_;
  return random.below(row, static_cast<std::uint64_t>(plan_.folds)) == static_cast<std::uint64_t>(plan_.fold);
}

}  // namespace lockstep
