// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "lockstep/core/view.h"

namespace lockstep {

/// What stands in "demo:logistic?rows=5000000&features=28&part=test".
struct DemoOptions {
  std::string name;
  Index rows = 10000;
  Index features = 20;   ///< blobs: 20, spirals: 2, sparse: 10,000, fm: 1,000
  Index classes = 2;     ///< blobs and spirals: 3; fm: 0, which is a regression
  Index nonzeros = 20;   ///< per row of sparse; fm: 2
  Index factors = 4;     ///< of fm
  double power = 2;      ///< of sparse and fm: the higher, the fewer columns are frequent; 1: all alike
  double noise = 0.1;    ///< share of labels that are replaced; linear, fm: standard deviation of the target
  double condition = 1;  ///< of linear and logistic: largest / smallest variance of a feature
  std::uint64_t seed = 1;
  Index first_row =
      0;  ///< rows [first_row, first_row + rows) of the endless set; `part` = train, valid, test
};

/// Throws Error(kData) with what is wrong and what is known.
DemoOptions parse_demo(const std::string& source);

}  // namespace lockstep
