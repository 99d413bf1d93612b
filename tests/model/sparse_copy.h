// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "lockstep/core/view.h"

namespace lockstep::testing {

/// The non-zero entries of dense rows.
class SparseCopy {
 public:
  explicit SparseCopy(ConstMatrix dense) : rows_(dense.rows), cols_(dense.cols), offsets_{0} {
    for (Index i = 0; i < dense.rows; ++i) {
      for (Index j = 0; j < dense.cols; ++j) {
        if (dense.row(i)[j] == 0.0F) continue;
        columns_.push_back(static_cast<std::uint32_t>(j));
        values_.push_back(dense.row(i)[j]);
      }
      offsets_.push_back(static_cast<Index>(values_.size()));
    }
  }

  Features features() const {
    return {true, {}, {offsets_.data(), columns_.data(), values_.data(), rows_, cols_}};
  }

 private:
  Index rows_, cols_;
  std::vector<Index> offsets_;
  std::vector<std::uint32_t> columns_;
  std::vector<float> values_;
};

}  // namespace lockstep::testing
