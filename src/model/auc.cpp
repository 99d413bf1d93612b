// SPDX-License-Identifier: Apache-2.0
#include "model/auc.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lockstep {

double area_under_curve(std::vector<RankedRow>& rows) {
  constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
  for (const RankedRow& row : rows)
    if (std::isnan(row.score)) return kUndefined;
  // By weight too, so that sums within a tie do not depend on the order rows came in.
  std::sort(rows.begin(), rows.end(), [](const RankedRow& a, const RankedRow& b) {
    return a.score < b.score || (a.score == b.score && a.weight < b.weight);
  });
  double below = 0.0, positive = 0.0, pairs = 0.0;  // weights of class 0 so far, of class 1, of pairs won
  for (std::size_t begin = 0; begin < rows.size();) {
    double tied_negative = 0.0, tied_positive = 0.0;
    std::size_t end = begin;
    for (; end < rows.size() && rows[end].score == rows[begin].score; ++end)
      (rows[end].weight > 0.0F ? tied_positive : tied_negative) +=
          std::abs(static_cast<double>(rows[end].weight));
    pairs += tied_positive * (below + 0.5 * tied_negative);
    below += tied_negative;
    positive += tied_positive;
    begin = end;
  }
  return below > 0.0 && positive > 0.0 ? pairs / (positive * below) : kUndefined;
}

}  // namespace lockstep
